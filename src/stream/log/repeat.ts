/** Work that goes on through failures that end by themselves, such as a store that is away. */
import { setTimeout as sleep } from 'node:timers/promises';
import { asFeatureStoreError, type ErrorCode } from '../../errors.ts';
import type { Logger } from '../../observe.ts';

export interface RepeatOptions {
  /** What is read, for the log. */
  readonly what: string;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

const passing: readonly ErrorCode[] = ['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'ABORTED'];
const maxPauseMs = 5000;

/** Does the work again whenever it ends, until aborted; rejects with the first error that does not end by itself. */
export async function repeatThroughFailures(
  { what, logger, signal }: RepeatOptions,
  work: (onSuccess: () => void) => Promise<void>,
): Promise<void> {
  let failures = 0;
  const onSuccess = () => {
    failures = 0;
  };
  while (!signal.aborted) {
    try {
      await work(onSuccess);
    } catch (thrown) {
      if (signal.aborted) return;
      const error = asFeatureStoreError(thrown);
      if (!passing.includes(error.code)) throw error;
      failures += 1;
      if (failures === 1)
        logger.warn({ log: what, error: error.message }, 'a log cannot be read now; it is tried again by itself');
      await pause(Math.min(maxPauseMs, 50 * 2 ** failures), signal);
    }
  }
}

/** Resolves after a time, or when the signal aborts. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => {});
}
