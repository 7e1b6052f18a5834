/** Which ticks of SQL sources an answer reads, of rows whose times lie between two instants. */
import { parseDurationUs } from '../../definitions/duration.ts';
import type { SourceDocument } from '../../registry/document.ts';
import type { LookupPlan, RetrievalPlan } from '../plan.ts';
import { queryOf } from './ticks.ts';

/** The times of a frame's rows, in microseconds. */
export interface TimeRange {
  readonly leastUs: bigint;
  readonly greatestUs: bigint;
}

export interface NeededTicks {
  readonly source: SourceDocument;
  readonly everyUs: bigint;
  /** Multiples of `every`, both inclusive. */
  readonly firstUs: bigint;
  readonly lastUs: bigint;
  /** Why the ticks reach back to the first rows of the inputs: a view, and what of it; undefined where its ttl ends them. */
  readonly reachesBack: { readonly view: string; readonly because: 'no ttl' | 'a fitted default' } | undefined;
}

/**
 * By source, the ticks in which a row may win: those that are no older than the ttl, and the latest that is visible at the first time. Without
 * a ttl, and for a fitted default, all since the inputs' first row, whose event time `oldestUs` gives (undefined where there is none).
 */
export async function planNeededTicks(
  { lookups, features }: Pick<RetrievalPlan, 'lookups' | 'features'>,
  times: TimeRange,
  oldestUs: (source: SourceDocument) => Promise<bigint | undefined>,
): Promise<readonly NeededTicks[]> {
  const needed = new Map<string, NeededTicks>();
  for (const [at, lookup] of lookups.entries()) {
    const { source } = lookup;
    if (source.query === undefined) continue;
    const isFitted = features.some(({ lookup: of, feature }) => of === at && 'fitted' in (feature.default ?? {}));
    const one = await planLookup(lookup, isFitted, times, oldestUs);
    const known = needed.get(source.name);
    needed.set(source.name, known === undefined ? one : join(known, one));
  }
  return [...needed.values()];
}

async function planLookup(
  { view, source, ttlUs, delayUs }: LookupPlan,
  isFitted: boolean,
  { leastUs, greatestUs }: TimeRange,
  oldestUs: (source: SourceDocument) => Promise<bigint | undefined>,
): Promise<NeededTicks> {
  const everyUs = parseDurationUs(queryOf(source).every);
  const floor = (us: bigint) => floorTo(us, everyUs);
  const latest = { source, everyUs, lastUs: floor(greatestUs - delayUs) };
  const visibleUs = floor(leastUs - delayUs);
  if (ttlUs > 0n && !isFitted)
    return { ...latest, firstUs: least(visibleUs, floor(leastUs - ttlUs + everyUs - 1n)), reachesBack: undefined };
  const reachesBack = { view: view.name, because: isFitted ? 'a fitted default' : 'no ttl' } as const;
  const inputUs = await oldestUs(source);
  // A row counts in the ticks after its time.
  const firstUs = inputUs === undefined ? visibleUs : least(visibleUs, floor(inputUs) + everyUs);
  return { ...latest, firstUs, reachesBack };
}

function join(a: NeededTicks, b: NeededTicks): NeededTicks {
  return {
    ...a,
    firstUs: least(a.firstUs, b.firstUs),
    lastUs: greatest(a.lastUs, b.lastUs),
    reachesBack: a.reachesBack ?? b.reachesBack,
  };
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function greatest(a: bigint, b: bigint): bigint {
  return a < b ? b : a;
}

/** Toward minus infinity, before 1970 too (rule 1.4). */
function floorTo(us: bigint, everyUs: bigint): bigint {
  const rest = us % everyUs;
  return us - (rest < 0n ? rest + everyUs : rest);
}
