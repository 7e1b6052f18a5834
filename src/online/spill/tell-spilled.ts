/** States that have spilled, as they are told of. Entities are named by a digest: what is logged cannot be erased. */
import { createHash } from 'node:crypto';
import type { Logger } from '../../observe.ts';

/** A state that stood in the value of its key, and stands beside it now. */
export interface SpilledState {
  readonly view: string;
  readonly key: Uint8Array;
  readonly bytes: number;
}

export interface SpillTally {
  add(states: readonly SpilledState[]): void;
  /** One line for each view, however many there were; then begins anew. */
  warn(logger: Logger): void;
}

const mostKeysTold = 5;

export function createSpillTally(): SpillTally {
  const views = new Map<string, { keys: number; bytes: number; readonly digests: string[] }>();
  return {
    add(states) {
      for (const { view, key, bytes } of states) {
        const own = views.get(view) ?? { keys: 0, bytes: 0, digests: [] };
        views.set(view, own);
        own.keys += 1;
        own.bytes = Math.max(own.bytes, bytes);
        if (own.digests.length < mostKeysTold) own.digests.push(createHash('sha256').update(key).digest('hex'));
      }
    },
    warn(logger) {
      const message = 'states of keys have grown above maxStateBytes and stand beside their values now';
      for (const [view, own] of views) logger.warn({ view, ...own }, message);
      views.clear();
    },
  };
}

/** By view how many. */
export function countSpilled(states: readonly SpilledState[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { view } of states) counts.set(view, (counts.get(view) ?? 0) + 1);
  return counts;
}
