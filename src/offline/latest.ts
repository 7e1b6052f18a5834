/**
 * What an online store is to hold of a view: per key the row that wins at an instant, and every greater row that will beat it once it
 * becomes visible (sections 3 and 8). Read range by range of the keys' hash, so that memory holds one bucket and one block of rows.
 */
import type { Column } from '../arrow/column.ts';
import type { LiteralValue } from '../definitions/literal.ts';
import type { ViewDocument } from '../registry/document.ts';
import { instantAt, splitUs } from './instants.ts';
import { readFeatures, readKeyColumns, readKeyValues } from './latest-values.ts';
import { createPace } from './pace.ts';
import type { Bucket } from './projection/bucket.ts';
import { hashKeys, type KeyColumn, type Keys } from './projection/keys.ts';
import type { Projection } from './projection/store.ts';

export interface LatestRule {
  readonly delayUs: bigint;
  readonly asKnown: boolean;
  /** Rows that happened before are left out. */
  readonly startUs?: bigint;
  /** Rows that happened later are left out. */
  readonly endUs: bigint;
  /** Of the rows visible at this instant only the greatest counts. */
  readonly visibleAtUs: bigint;
}

export interface LatestRow {
  /** In the order of the view's keys. */
  readonly keys: readonly LiteralValue[];
  readonly eventUs: bigint;
  readonly createdUs: bigint | null;
  readonly availableUs: bigint | null;
  /** In the order of the view's features. */
  readonly values: readonly LiteralValue[];
}

/** Rows of a block, from one to another: all of the keys whose hash falls into the range. */
export interface LatestRange {
  /** Which of the `latestRanges` ranges: they come in their order, those without a row left out. */
  readonly range: number;
  readonly keys: number;
  readonly from: number;
  readonly to: number;
}

/** Rows as columns, those of one key together, from the greatest to the least. */
export interface LatestBlock {
  /** None of them goes on in another block. */
  readonly ranges: readonly LatestRange[];
  /** Of each row its key, as a row of `keys`. */
  readonly owners: Int32Array;
  /** A column for each of the view's keys. */
  readonly keys: readonly KeyColumn[];
  /** Microseconds, two words a row. */
  readonly event: Int32Array;
  readonly created?: Int32Array;
  /** 1 where there is no created timestamp; absent where there always is. */
  readonly createdNulls?: Uint8Array;
  readonly available?: Int32Array;
  /** In the order of the view's features. */
  readonly features: readonly Column[];
  /** Rows as plain values. */
  read(from: number, to: number): LatestRow[];
  /** Source rows looked at so far, this block included. */
  readonly scanned: number;
}

export const latestRanges = 4096;
const rangeShift = 20;
/** A block ends with the range that brings it there: what is done once for each of its columns is done for many rows. */
const blockRows = 4096;

/** Reads a projection; works in turns, and throws the reason of `signal` once it is aborted. */
export async function* readLatest(projection: Projection, rule: LatestRule, signal?: AbortSignal): AsyncGenerator<LatestBlock> {
  const pace = createPace(signal);
  let scanned = 0;
  for (let index = 0; index < projection.buckets; index++) {
    signal?.throwIfAborted();
    const bucket = await projection.bucket(index);
    const { keys, starts } = bucket.index;
    const choose = compileChoice(bucket, rule);
    const open = compileBlock(projection.view, bucket);
    const { order, ends } = orderByRange(keys, bucket.rows === 0 ? 0 : starts.length - 1);
    let chosen: Chosen = { rows: [], owners: [] };
    let ranges: LatestRange[] = [];
    for (let range = 0; range < latestRanges; range++) {
      const members = order.subarray(range === 0 ? 0 : ends[range - 1], ends[range]);
      if (members.length === 0) continue;
      await pace();
      const from = chosen.rows.length;
      const count = choose(members, chosen);
      for (const run of members) scanned += (starts[run + 1] as number) - (starts[run] as number);
      const to = chosen.rows.length;
      if (to > from) ranges.push({ range, keys: count, from, to });
      if (to < blockRows) continue;
      yield { ranges, scanned, ...open(chosen) };
      chosen = { rows: [], owners: [] };
      ranges = [];
    }
    if (ranges.length > 0) yield { ranges, scanned, ...open(chosen) };
  }
}

/** Rows of a bucket, and the run of each. */
interface Chosen {
  readonly rows: number[];
  readonly owners: number[];
}

/** The runs of a bucket, range by range, in each range in the order of their keys; `ends` has where each range ends. */
function orderByRange(keys: Keys, runs: number): { readonly order: Int32Array; readonly ends: Int32Array } {
  const hashes = runs === 0 || keys.kind === 'none' ? new Int32Array(runs) : hashKeys(keys);
  const counts = new Int32Array(latestRanges + 1);
  for (const hash of hashes) counts[(hash >>> rangeShift) + 1] = (counts[(hash >>> rangeShift) + 1] as number) + 1;
  for (let range = 0; range < latestRanges; range++)
    counts[range + 1] = (counts[range + 1] as number) + (counts[range] as number);
  const ends = counts.slice(0, latestRanges);
  const order = new Int32Array(runs);
  for (let run = 0; run < runs; run++) {
    const range = (hashes[run] as number) >>> rangeShift;
    const at = ends[range] as number;
    order[at] = run;
    ends[range] = at + 1;
  }
  return { order, ends };
}

/** Walks each run from its greatest row down to the first that is visible, adds what it finds, and tells for how many runs. */
function compileChoice(bucket: Bucket, rule: LatestRule): (runs: Int32Array, chosen: Chosen) => number {
  const { event } = bucket;
  const { starts } = bucket.index;
  const visibility = bucket.visibility(rule.delayUs, rule.asKnown);
  const seen = visibility === undefined ? event : (visibility.levels[0] as Int32Array);
  const visible = splitUs(clamp(visibility === undefined ? rule.visibleAtUs - rule.delayUs : rule.visibleAtUs));
  const end = splitUs(clamp(rule.endUs));
  const start = splitUs(clamp(rule.startUs ?? -(2n ** 63n)));
  const isAfter = (words: Int32Array, row: number, limit: { low: number; high: number }) => {
    const high = words[2 * row + 1] as number;
    return high > limit.high || (high === limit.high && (words[2 * row] as number) >>> 0 > limit.low);
  };
  const isBefore = (row: number) => {
    const high = event[2 * row + 1] as number;
    return high < start.high || (high === start.high && (event[2 * row] as number) >>> 0 < start.low);
  };
  const isNever = (row: number) => visibility !== undefined && seen[2 * row] === -1 && seen[2 * row + 1] === 0x7fff_ffff;
  return (runs, { rows, owners }) => {
    let keys = 0;
    for (const run of runs) {
      const first = starts[run] as number;
      const count = rows.length;
      for (let row = (starts[run + 1] as number) - 1; row >= first && !isBefore(row); row--) {
        if (isAfter(event, row, end) || isNever(row)) continue;
        rows.push(row);
        owners.push(run);
        if (!isAfter(seen, row, visible)) break;
      }
      if (rows.length > count) keys += 1;
    }
    return keys;
  };
}

function clamp(us: bigint): bigint {
  const most = 2n ** 63n - 1n;
  return us > most ? most : us < -most - 1n ? -most - 1n : us;
}

function compileBlock(view: ViewDocument, bucket: Bucket): (chosen: Chosen) => Omit<LatestBlock, 'ranges' | 'scanned'> {
  const { event, created, createdNulls, available } = bucket.times;
  const keys = readKeyColumns(view, bucket.index.keys);
  const keysOf = readKeyValues(view, keys);
  return (chosen) => {
    const rows = new Int32Array(chosen.rows);
    const block = {
      owners: new Int32Array(chosen.owners),
      keys,
      event: pickWords(event, rows),
      created: created && pickWords(created, rows),
      createdNulls: createdNulls && Uint8Array.from(rows, (row) => Number(createdNulls(row))),
      available: available && pickWords(available, rows),
      features: bucket.take([...view.features.keys()], rows),
    };
    const readers = readFeatures(view, block.features);
    const at = (words: Int32Array | undefined, row: number) => (words === undefined ? null : instantAt({ words }, row));
    const readRow = (row: number): LatestRow => ({
      keys: keysOf(block.owners[row] as number),
      eventUs: instantAt({ words: block.event }, row),
      createdUs: block.createdNulls?.[row] === 1 ? null : at(block.created, row),
      availableUs: at(block.available, row),
      values: readers.map((read) => read(row)),
    });
    return { ...block, read: (from, to) => Array.from({ length: to - from }, (_, row) => readRow(from + row)) };
  };
}

function pickWords(words: Int32Array, rows: Int32Array): Int32Array {
  const picked = new Int32Array(2 * rows.length);
  for (let at = 0; at < rows.length; at++) {
    picked[2 * at] = words[2 * (rows[at] as number)] as number;
    picked[2 * at + 1] = words[2 * (rows[at] as number) + 1] as number;
  }
  return picked;
}
