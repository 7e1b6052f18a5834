/**
 * Of which views any state has spilled, so that readers ask for side values in the round trip in which they ask for values. It is a hint: who
 * meets a spilled state without it asks once more.
 */
import type { OnlineRecords } from '../records.ts';

/** How many keys: as many as had when last somebody looked at all of them, and those whose states have spilled since. */
export interface SpilledKeys {
  readonly keys: number;
}

const kind = 'spilled';

/** In the order of the views, in one round trip; undefined where nothing has spilled. */
export async function readSpilledViews(
  records: OnlineRecords,
  views: readonly string[],
  signal?: AbortSignal,
): Promise<(SpilledKeys | undefined)[]> {
  return views.length === 0 ? [] : ((await records.readMany(kind, views, signal)) as (SpilledKeys | undefined)[]);
}

/** Counts keys, by view, whose states have spilled; none of those that are about to: readers ask for side values from then on. */
export async function addSpilledKeys(
  records: OnlineRecords,
  views: ReadonlyMap<string, number>,
  signal?: AbortSignal,
): Promise<void> {
  for (const [view, keys] of views) {
    const add = (current: SpilledKeys | undefined) =>
      current !== undefined && keys === 0 ? current : { keys: (current?.keys ?? 0) + keys };
    await records.update<SpilledKeys>(kind, view, add, signal);
  }
}

/** What somebody found who looked at all keys; `before` is what was told when that began: what has spilled since stays counted. */
export async function writeSpilledKeys(
  records: OnlineRecords,
  view: string,
  { found, before }: { readonly found: number; readonly before: number },
  signal?: AbortSignal,
): Promise<void> {
  const put = (current: SpilledKeys | undefined) => {
    const keys = found + Math.max(0, (current?.keys ?? 0) - before);
    if (keys === 0) return undefined;
    return current?.keys === keys ? current : { keys };
  };
  await records.update<SpilledKeys>(kind, view, put, signal);
}
