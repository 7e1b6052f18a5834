/** How long a request is worked on: until it is answered, its time is up, or its client has gone. */
import type { ServerResponse } from 'node:http';
import { FeatureStoreError } from '../errors.ts';

export interface Lifetime {
  /** Why it ended early: DEADLINE_EXCEEDED or ABORTED. */
  readonly reason: FeatureStoreError | undefined;
  /** Aborts with the reason; made only where it is asked for, since it costs more than all else here. */
  readonly signal: AbortSignal;
  /** From now on it ends after `timeoutMs`, until it is released. */
  limit(timeoutMs: number): void;
  /** What to do as soon as it ends early, instead of what was to be done before. */
  onEnd(giveUp: GiveUp): void;
  /** Settles with the work, or fails with the reason as soon as there is one. */
  within<T>(work: Promise<T>): Promise<T>;
  /** Nothing waits any more, and no time runs. */
  release(): void;
}

type GiveUp = (reason: FeatureStoreError) => void;

export function openLifetime(response: ServerResponse): Lifetime {
  let reason: FeatureStoreError | undefined;
  let controller: AbortController | undefined;
  let timer: NodeJS.Timeout | undefined;
  let giveUp: GiveUp = nothing;

  function end(why: FeatureStoreError): void {
    if (reason !== undefined) return;
    reason = why;
    controller?.abort(why);
    giveUp(why);
  }

  function onEnd(next: GiveUp): void {
    giveUp = next;
    if (reason !== undefined) next(reason);
  }

  response.on('close', () => {
    if (!response.writableFinished) end(new FeatureStoreError('ABORTED', 'the client went away'));
  });
  return {
    get reason() {
      return reason;
    },
    get signal() {
      if (controller === undefined) {
        controller = new AbortController();
        if (reason !== undefined) controller.abort(reason);
      }
      return controller.signal;
    },
    limit(timeoutMs) {
      timer = setTimeout(() => end(timeoutError(timeoutMs)), timeoutMs);
    },
    onEnd,
    within: (work) =>
      new Promise((resolve, reject) => {
        onEnd(reject);
        work.then(resolve, (error) => reject(reason ?? error));
      }),
    release() {
      clearTimeout(timer);
      giveUp = nothing;
    },
  };
}

function nothing(): void {}

function timeoutError(timeoutMs: number): FeatureStoreError {
  return new FeatureStoreError('DEADLINE_EXCEEDED', `this took longer than the ${timeoutMs} ms of http.timeoutMs`);
}
