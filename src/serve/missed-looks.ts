/** Which kinds of rules could not be looked at, since when and why: told to the log once, and when they can be again. */
import { asFeatureStoreError } from '../errors.ts';
import type { Logger } from '../observe.ts';
import type { MissedLook } from '../validate/alerts/show.ts';
import type { AlertRule } from '../validate/alerts/step.ts';

export interface MissedLooks {
  /** What `read` finds; undefined where it fails. */
  ask<T>(when: AlertRule['when'], read: () => Promise<T>): Promise<T | undefined>;
  list(): readonly MissedLook[];
}

export function createMissedLooks(logger: Logger): MissedLooks {
  const missed = new Map<AlertRule['when'], MissedLook>();
  return {
    async ask(when, read) {
      try {
        const found = await read();
        if (missed.delete(when)) logger.info({ when }, `alerts of "${when}" are looked at again`);
        return found;
      } catch (thrown) {
        const error = asFeatureStoreError(thrown).message;
        const known = missed.get(when);
        missed.set(when, { when, since: known?.since ?? new Date().toISOString(), error });
        if (known?.error !== error)
          logger.error({ when, error }, `alerts of "${when}" cannot be looked at, and stay as they are; each look tries again`);
        return undefined;
      }
    },
    list: () => [...missed.values()],
  };
}
