/** What a server does by itself: materialization by the config's schedule, and today's fitted defaults once a UTC day. */
import { Cron } from 'croner';
import { FeatureStoreError } from '../errors.ts';
import { type FittedParts, type FittedReport, fitToday } from '../materialize/fitted-today.ts';
import type { Materialize } from '../materialize/materialize.ts';
import type { Logger } from '../observe.ts';
import { isBusy } from '../online/lease.ts';

export interface ScheduleParts extends FittedParts {
  /** As the config says; absent: only fitted defaults. */
  readonly plan?: { readonly schedule: string; readonly views?: readonly string[] };
  readonly materialize: Materialize;
  readonly logger: Logger;
  /** Called when something was written: what is known of the store may have changed. */
  onWritten?(): void;
  /** Told which defaults were computed. */
  onFitted?(names: readonly string[]): void;
}

export interface Schedule {
  /** Computes today's fitted defaults that are not there yet: after an apply. */
  fitDefaults(): Promise<FittedReport | undefined>;
  /** Aborts what runs, and resolves when it has ended. */
  stop(): Promise<void>;
}

/** A little after midnight, and again later in the day for what failed then. */
const fitSchedule = '0 1 * * * *';

/** Starts; what fails is logged, and tried again at the next tick. */
export function startSchedule(parts: ScheduleParts): Schedule {
  const { logger, plan } = parts;
  const stopping = new AbortController();
  const running = new Set<Promise<unknown>>();
  const track = <T>(work: Promise<T>): Promise<T> => {
    running.add(work);
    return work.finally(() => running.delete(work));
  };
  const run = async () => {
    try {
      await parts.materialize({ views: plan?.views }, { signal: stopping.signal });
      parts.onWritten?.();
    } catch (error) {
      if (stopping.signal.aborted) return;
      if (isBusy(error)) logger.info({ error: String(error) }, 'scheduled materialization left to another process');
      else logger.error({ error: String(error) }, 'scheduled materialization failed; the next tick tries again');
    }
  };
  /** One after another: an apply that comes while defaults are computed asks for what it has changed. */
  let fitting: Promise<FittedReport | undefined> = Promise.resolve(undefined);
  const fitDefaults = () => {
    fitting = fitting.then(async () => {
      try {
        const report = await fitToday(parts, stopping.signal);
        if (report.computed.length > 0) {
          parts.onWritten?.();
          parts.onFitted?.(report.computed);
        }
        return report;
      } catch (error) {
        if (!stopping.signal.aborted) logger.warn({ error: String(error) }, "today's fitted defaults could not be computed");
        return undefined;
      }
    });
    return track(fitting);
  };
  const jobs = plan === undefined ? [] : [startJob(plan.schedule, () => track(run()))];
  jobs.push(startJob(fitSchedule, fitDefaults));
  void fitDefaults();
  return {
    fitDefaults,
    async stop() {
      for (const job of jobs) job.stop();
      stopping.abort(new FeatureStoreError('UNAVAILABLE', 'the server is stopping'));
      await Promise.allSettled([...running]);
    },
  };
}

/** A tick that comes while the work of one before it runs is left out. */
function startJob(schedule: string, work: () => Promise<unknown>): Cron {
  return new Cron(schedule, { timezone: 'UTC', protect: true }, async () => {
    await work();
  });
}
