/** Checks that a server makes by the config's schedule: what they find is kept, told to the log and to Prometheus. */
import { setTimeout as pause } from 'node:timers/promises';
import { Cron } from 'croner';
import type { Config } from '../config.ts';
import { parseDurationUs } from '../definitions/duration.ts';
import { formatInstantUs } from '../definitions/literal.ts';
import { asFeatureStoreError, FeatureStoreError } from '../errors.ts';
import type { Logger } from '../observe.ts';
import { type MissedCheck, type ScheduledChecks, type ScheduledKind, scheduledKinds } from '../validate/missed-checks.ts';
import type { Validations } from './validations.ts';

export interface ValidationScheduleParts {
  readonly plan: Config['validate'];
  readonly validations: Pick<Validations, 'run'>;
  readonly logger: Logger;
}

const failed: Readonly<Record<ScheduledKind, string>> = {
  parity: 'online and offline features differ',
  drift: 'features are not what they were',
};

export interface ValidationSchedule {
  /** Which of them could not be made last time. */
  missed(): ScheduledChecks;
  /** Resolves when what runs has ended. */
  stop(): Promise<void>;
}

export function startValidationSchedule({ plan, validations, logger }: ValidationScheduleParts): ValidationSchedule {
  const stopping = new AbortController();
  const missed = new Map<ScheduledKind, MissedCheck | null>();
  /** One after another, also those of one schedule: they are one caller, which may ask for one at a time. */
  let running: Promise<void> = Promise.resolve();

  async function check(kind: ScheduledKind, from: string): Promise<void> {
    if (stopping.signal.aborted) return;
    const nowUs = BigInt(Date.now()) * 1000n;
    const request = { kind, from: formatInstantUs(nowUs - parseDurationUs(from)), to: formatInstantUs(nowUs) };
    try {
      const { id, result, summary } = await inTurn(kind, () => validations.run(request, stopping.signal, () => {}, 'schedule'));
      missed.set(kind, null);
      const told = { report: id, result, summary };
      if (result === 'FAIL') logger.error(told, failed[kind]);
      else logger.info(told, `${kind} was checked`);
    } catch (error) {
      if (stopping.signal.aborted) return;
      const since = missed.get(kind)?.since ?? new Date().toISOString();
      missed.set(kind, { since, error: asFeatureStoreError(error).message });
      logger.error({ error: String(error) }, `${kind} could not be checked; the next tick tries again`);
    }
  }

  /** Again and again while it is refused for want of room. */
  async function inTurn<T>(kind: ScheduledKind, work: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      try {
        return await work();
      } catch (error) {
        const { code, details } = error as Partial<FeatureStoreError>;
        const { retry_after_seconds: seconds, reason } = (details ?? {}) as Readonly<Record<string, unknown>>;
        if (code !== 'RESOURCE_EXHAUSTED' || typeof seconds !== 'number' || reason === 'too_long') throw error;
        if (tries === 1) logger.warn({ error: String(error) }, `${kind} is to be checked, and waits until there is room`);
        await pause(1000 * seconds, undefined, { signal: stopping.signal });
      }
    }
  }

  const jobs = scheduledKinds.flatMap((kind) => {
    const planned = plan?.[kind];
    if (planned === undefined) return [];
    missed.set(kind, null);
    const job = new Cron(planned.schedule, { timezone: 'UTC', protect: true }, async () => {
      running = running.then(() => check(kind, planned.from));
      await running;
    });
    return [job];
  });
  return {
    missed: () => Object.fromEntries(missed),
    async stop() {
      for (const job of jobs) job.stop();
      stopping.abort(new FeatureStoreError('UNAVAILABLE', 'the server is stopping'));
      await running;
    },
  };
}
