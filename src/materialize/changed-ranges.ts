/** The ranges of views that are to be written, range by range: rows of one key come together, of whichever views they are. */
import { createNewest } from '../offline/instants.ts';
import { readLatest } from '../offline/latest.ts';
import type { KeyArrivals, WriteTarget } from '../online/write/writer.ts';
import { compileRangeEncoder } from './encode-range.ts';
import type { ViewRun } from './view-run.ts';

export interface ChangedRange {
  readonly run: ViewRun;
  readonly range: number;
  readonly digest: string;
  readonly arriving: KeyArrivals[];
}

/** The ranges of some views, one after another, each with what those views have there. */
export async function* readTogether(
  project: string,
  runs: readonly ViewRun[],
  targets: readonly WriteTarget[],
  signal: AbortSignal,
): AsyncGenerator<readonly ChangedRange[]> {
  const readers = runs.map((run, at) => readChanged(project, run, targets[at] as WriteTarget, at, signal));
  try {
    const heads = await Promise.all(readers.map(async (reader) => (await reader.next()).value as ChangedRange | undefined));
    for (;;) {
      const present = heads.filter((head) => head !== undefined);
      if (present.length === 0) return;
      const next = present.reduce((least, { range }) => Math.min(least, range), Number.POSITIVE_INFINITY);
      yield present.filter(({ range }) => range === next);
      for (const [at, head] of heads.entries()) {
        if (head?.range === next) heads[at] = (await readers[at]?.next())?.value as ChangedRange | undefined;
      }
    }
  } finally {
    for (const reader of readers) await reader.return(undefined);
  }
}

/** The ranges of a view whose rows are not those written before; counts what it sees. */
async function* readChanged(
  project: string,
  run: ViewRun,
  target: WriteTarget,
  position: number,
  signal: AbortSignal,
): AsyncGenerator<ChangedRange, undefined> {
  const { projection, rule, digests, progress } = run;
  const openBlock = compileRangeEncoder(project, target, position);
  const newest = createNewest();
  for await (const block of readLatest(projection, rule, signal)) {
    const encoder = openBlock(block);
    progress.scanned = block.scanned;
    newest.add(block.event);
    run.newest.eventUs = newest.eventUs();
    for (const { range, keys, from, to } of block.ranges) {
      progress.keys += keys;
      progress.rows += to - from;
      encoder.encode(from, to);
      const digest = digests === undefined ? '' : encoder.digest();
      if (digests?.has(range, digest) === true) progress.skipped += to - from;
      else yield { run, range, digest, arriving: encoder.take() };
    }
  }
  progress.scanned = projection.rows;
}

/** What arrives at each key, of all views. */
export function joinArrivals(ranges: readonly ChangedRange[]): readonly KeyArrivals[] {
  const [first, ...others] = ranges.map(({ arriving }) => arriving);
  const joined = first ?? [];
  let byKey: Map<string, KeyArrivals> | undefined;
  for (const arriving of others) {
    for (const [at, one] of arriving.entries()) {
      // Views of the same keys have most of them in the same places.
      let there = joined[at];
      if (there?.key.equals(one.key) !== true) {
        byKey ??= new Map(joined.map((known) => [known.key.toString('latin1'), known]));
        there = byKey.get(one.key.toString('latin1'));
      }
      if (there !== undefined) there.arrivals.push(...one.arrivals);
      else {
        joined.push(one);
        byKey?.set(one.key.toString('latin1'), one);
      }
    }
  }
  return joined;
}
