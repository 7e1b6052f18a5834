/** The watch over features that a server keeps: a look into the feature log every so often, one after another. */
import type { Config } from '../config.ts';
import { parseDurationUs } from '../definitions/duration.ts';
import { FeatureStoreError } from '../errors.ts';
import type { Logger } from '../observe.ts';
import type { History } from '../offline/history.ts';
import type { RegistryDocument } from '../registry/document.ts';
import { findNamed } from '../registry/references.ts';
import { createHealthWatch, type FeatureHealth, notLooking } from '../validate/health/watch.ts';
import type { LogReader } from '../validate/log/read-log.ts';

export interface FeatureHealthParts {
  readonly config: Pick<Config, 'health' | 'logging'>;
  readonly history: Pick<History, 'newestEventUs'>;
  registry(): RegistryDocument;
  readonly log: LogReader;
  readonly logger: Logger;
}

export interface RunningHealth {
  latest(): FeatureHealth;
  /** Resolves when a look that is under way has ended. */
  stop(): Promise<void>;
}

/** Looks at nothing where nothing is logged, and says so. */
export function startFeatureHealth(parts: FeatureHealthParts): RunningHealth {
  const { config, history, registry, logger } = parts;
  if (config.logging === undefined) return { latest: () => notLooking, stop: async () => {} };
  const { every, window, history: before, minKeys, nullRate } = config.health;
  const newestEventUs = (source: string) => history.newestEventUs(findNamed(registry().sources, 'source', source));
  const options = { windowUs: parseDurationUs(window), historyUs: parseDurationUs(before), minKeys, nullRate };
  const watch = createHealthWatch({ ...parts, newestEventUs }, options);
  const stopping = new AbortController();
  let looking: Promise<void> | undefined;

  async function look(): Promise<void> {
    try {
      await watch.check(stopping.signal);
    } catch (error) {
      if (!stopping.signal.aborted)
        logger.warn({ error: String(error) }, 'features could not be looked at; the next look tries again');
    }
  }

  const timer = setInterval(
    () => {
      looking ??= look().finally(() => {
        looking = undefined;
      });
    },
    Number(parseDurationUs(every) / 1000n),
  );
  return {
    latest: watch.latest,
    async stop() {
      clearInterval(timer);
      stopping.abort(new FeatureStoreError('UNAVAILABLE', 'the server is stopping'));
      await looking;
    },
  };
}
