/** What rules could not be looked at, since when and why: told to the log once, and when it can be again. */
import { asFeatureStoreError } from '../errors.ts';
import type { Logger } from '../observe.ts';
import type { MissedLook } from '../validate/alerts/show.ts';
import type { AlertRule } from '../validate/alerts/step.ts';

export interface MissedLooks {
  /** What `read` finds; undefined where it fails. `lacking` says of what it finds which views it does not tell of, and why. */
  ask<T>(when: AlertRule['when'], read: () => Promise<T>, lacking?: (found: T) => Lack | undefined): Promise<T | undefined>;
  list(): readonly MissedLook[];
}

export interface Lack {
  readonly error: string;
  readonly views: readonly string[];
}

export function createMissedLooks(logger: Logger): MissedLooks {
  const missed = new Map<AlertRule['when'], MissedLook>();
  function miss(when: AlertRule['when'], { error, views }: Pick<Lack, 'error'> & Partial<Lack>): void {
    const known = missed.get(when);
    missed.set(when, { when, since: known?.since ?? new Date().toISOString(), error, ...(views === undefined ? {} : { views }) });
    if (known?.error === error) return;
    const what = views === undefined ? `alerts of "${when}"` : `alerts of "${when}" of ${views.join(', ')}`;
    logger.error({ when, error }, `${what} cannot be looked at, and stay as they are; each look tries again`);
  }

  return {
    async ask(when, read, lacking) {
      try {
        const found = await read();
        const lack = lacking?.(found);
        if (lack !== undefined) miss(when, lack);
        else if (missed.delete(when)) logger.info({ when }, `alerts of "${when}" are looked at again`);
        return found;
      } catch (thrown) {
        miss(when, { error: asFeatureStoreError(thrown).message });
        return undefined;
      }
    },
    list: () => [...missed.values()],
  };
}
