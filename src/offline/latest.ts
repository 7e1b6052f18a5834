/**
 * What an online store is to hold of a view: per key the row that wins at an instant, and every greater row that will beat it once it
 * becomes visible (sections 3 and 8). Read range by range of the keys' hash, so that memory holds one bucket and one range.
 */
import { createHash, type Hash } from 'node:crypto';
import type { Column } from '../arrow/column.ts';
import type { LiteralValue } from '../definitions/literal.ts';
import { joinWords, splitUs } from './instants.ts';
import { readFeatures, readKeyValues } from './latest-values.ts';
import { createPace } from './pace.ts';
import type { Bucket } from './projection/bucket.ts';
import { hashKeys, type Keys } from './projection/keys.ts';
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

export interface LatestRange {
  /** Which of the `latestRanges` ranges of the keys' hash: they come in their order, those without a row left out. */
  readonly range: number;
  readonly keys: number;
  readonly rows: number;
  /** Tells whether the rows are the same as another time, whatever became of the others. */
  digest(): string;
  /** The rows, those of one key from the greatest to the least. */
  read(): LatestRow[];
  /** Source rows looked at so far, this range included. */
  readonly scanned: number;
}

export const latestRanges = 4096;
const rangeShift = 20;

/** Reads a projection; works in turns, and throws the reason of `signal` once it is aborted. */
export async function* readLatest(projection: Projection, rule: LatestRule, signal?: AbortSignal): AsyncGenerator<LatestRange> {
  const pace = createPace(signal);
  let before = 0;
  for (let index = 0; index < projection.buckets; index++) {
    signal?.throwIfAborted();
    const bucket = await projection.bucket(index);
    const runs = bucket.rows === 0 ? 0 : bucket.index.starts.length - 1;
    const choose = compileChoice(bucket, rule);
    const { order, ends } = orderByRange(bucket.index.keys, runs);
    let from = 0;
    let scanned = before;
    for (let range = 0; range < latestRanges; range++) {
      const to = ends[range] as number;
      if (to === from) continue;
      await pace();
      const members = order.subarray(from, to);
      from = to;
      for (const run of members) scanned += (bucket.index.starts[run + 1] as number) - (bucket.index.starts[run] as number);
      const chosen = choose(members);
      if (chosen.rows.length > 0) yield openRange(projection, bucket, chosen, range, scanned);
    }
    before += bucket.rows;
  }
}

interface Chosen {
  readonly rows: Int32Array;
  /** The run of each row. */
  readonly runs: Int32Array;
  readonly keys: number;
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

/** Walks each run from its greatest row down to the first that is visible. */
function compileChoice(bucket: Bucket, rule: LatestRule): (runs: Int32Array) => Chosen {
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
  return (runs) => {
    const rows: number[] = [];
    const owners: number[] = [];
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
    return { rows: Int32Array.from(rows), runs: Int32Array.from(owners), keys };
  };
}

function clamp(us: bigint): bigint {
  const most = 2n ** 63n - 1n;
  return us > most ? most : us < -most - 1n ? -most - 1n : us;
}

function openRange(projection: Projection, bucket: Bucket, chosen: Chosen, range: number, scanned: number): LatestRange {
  const { view } = projection;
  const { rows, runs, keys } = chosen;
  const { event, created, createdNulls, available } = bucket.times;
  const isNull = (row: number) => createdNulls?.(row) === true;
  const at = (words: Int32Array, row: number) => joinWords(words[2 * row] as number, words[2 * row + 1] as number);
  const columns = bucket.take([...view.features.keys()], rows);
  return {
    range,
    keys,
    rows: rows.length,
    scanned,
    digest() {
      const hash = createHash('sha256');
      hashRunKeys(hash, bucket.index.keys, runs);
      hash.update(pickWords(event, rows));
      if (created !== undefined) {
        hash.update(pickWords(created, rows)).update(Uint8Array.from(rows, (row) => (isNull(row) ? 1 : 0)));
      }
      if (available !== undefined) hash.update(pickWords(available, rows));
      for (const column of columns) hashColumn(hash, column);
      return hash.digest('base64url').slice(0, 22);
    },
    read() {
      const keysOf = readKeyValues(view, bucket.index.keys);
      const readers = readFeatures(view, columns);
      return Array.from(rows, (row, index) => ({
        keys: keysOf(runs[index] as number),
        eventUs: at(event, row),
        createdUs: created === undefined || isNull(row) ? null : at(created, row),
        availableUs: available === undefined ? null : at(available, row),
        values: readers.map((read) => read(index)),
      }));
    },
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

function hashRunKeys(hash: Hash, keys: Keys, runs: Int32Array): void {
  if (keys.kind === 'int') hash.update(pickWords(keys.words, runs));
  else if (keys.kind === 'bytes') {
    const lengths = Int32Array.from(runs, (run) => (keys.offsets[run + 1] as number) - (keys.offsets[run] as number));
    hash.update(lengths);
    for (const run of runs) hash.update(keys.data.subarray(keys.offsets[run], keys.offsets[run + 1]));
  }
}

function hashColumn(hash: Hash, column: Column): void {
  hash.update(Int32Array.of(column.length, column.nullCount));
  if (column.nullCount > 0 && column.validity !== undefined) hash.update(column.validity);
  for (const buffer of column.buffers) hash.update(buffer);
  for (const child of column.children) hashColumn(hash, child);
}
