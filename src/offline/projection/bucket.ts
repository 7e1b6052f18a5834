/** One bucket of a projection in memory, ready to be looked up. */
import type { Column } from '../../arrow/column.ts';
import { concatColumns } from '../../arrow/concat.ts';
import type { ViewDocument } from '../../registry/document.ts';
import { splitUs } from '../instants.ts';
import { createDerived, type Derived } from './derived.ts';
import { columnBytes, holdApart, holdColumns } from './held-columns.ts';
import { buildKeyIndex, type KeyIndex } from './key-index.ts';
import type { Rivals } from './look-up.ts';
import { readStoredKeys } from './stored-keys.ts';
import { readStoredTimes, type StoredTimes, wordsOf } from './stored-times.ts';
import { buildVisibility, type Visibility } from './visibility.ts';

export interface Bucket {
  readonly rows: number;
  readonly index: KeyIndex;
  /** Words of the event timestamps in microseconds. */
  readonly event: Int32Array;
  /** All that the source says of its rows' times; `available` only where it has that column. */
  readonly times: StoredTimes & { readonly available?: Int32Array };
  /** Rows of some features, by their positions in the view; null where the row is negative. */
  take(features: readonly number[], rows: Int32Array): Column[];
  /** A feature of every row, by its position in the view; of events without a copy. */
  whole(feature: number): Column;
  readonly rivals?: Rivals;
  /** When rows become visible; undefined where that is event + delay for all of them. */
  visibility(delayUs: bigint, asKnown: boolean): Visibility | undefined;
  /** What others work out of its rows. */
  readonly derived: Derived;
  /** Memory that it takes, without the minima of visibility and what is derived. */
  readonly bytes: number;
}

/**
 * Makes a bucket of its stored columns (see `projectionSchema`), which come in one part or more. Of a single part it keeps columns as
 * they are, of several it copies everything.
 */
export function createBucket(view: ViewDocument, parts: readonly (readonly Column[])[]): Bucket {
  const partsOf = new Map(
    (parts[0] as readonly Column[]).map(({ field }, at) => [field.name, parts.map((part) => part[at] as Column)]),
  );
  // Of events whole columns are read, of a batch view's rows a few.
  const hold = view.kind === 'stream' ? holdApart : holdColumns;
  const features = hold(view.features.map((_, at) => partsOf.get(`f${at}`) as Column[]));
  const columns = [...partsOf].filter(([name]) => !name.startsWith('f')).map(([, column]) => concatColumns(column));
  const find = (name: string) => columns.find((column) => column.field.name === name);
  const times = readStoredTimes(columns);
  const index = buildKeyIndex(readStoredKeys(view, columns.slice(0, view.keys.length), times.event.length / 2));
  const available = find('available');
  const hash = find('row_hash');
  const kept = new Map<string, Visibility | undefined>();
  const visibility = (delayUs: bigint, asKnown: boolean) => {
    if (available === undefined && !(asKnown && times.created !== undefined)) return undefined;
    const variant = `${delayUs} ${asKnown}`;
    if (!kept.has(variant)) {
      const known = asKnown ? times : { event: times.event };
      kept.set(variant, buildVisibility({ ...known, delayUs: splitUs(delayUs), available: available && wordsOf(available) }));
    }
    return kept.get(variant);
  };
  return {
    rows: times.event.length / 2,
    index,
    event: times.event,
    times: { ...times, available: available && wordsOf(available) },
    take: features.take,
    whole: features.whole,
    rivals: hash === undefined ? undefined : findRivals(index, times, wordsOf(hash)),
    visibility,
    derived: createDerived(),
    bytes:
      columns.reduce((sum, column) => sum + (column === hash ? 0 : columnBytes(column)), features.bytes) +
      index.slots.byteLength +
      index.starts.byteLength,
  };
}

/** Which rows differ by value alone from a row before them; rows equal in all columns are no rivals (section 3). */
function findRivals(index: KeyIndex, { event, created, createdNulls }: StoredTimes, hash: Int32Array): Rivals | undefined {
  const rows = event.length / 2;
  const previous = new Int32Array(rows).fill(-1);
  const first = new Int32Array(rows);
  const sameCreated = (row: number) => {
    if (created === undefined) return true;
    const isNull = createdNulls?.(row) === true;
    return isNull === (createdNulls?.(row - 1) === true) && (isNull || sameWords(created, row));
  };
  let any = false;
  for (let run = 0; run + 1 < index.starts.length; run++) {
    const start = index.starts[run] as number;
    const end = index.starts[run + 1] as number;
    first[start] = start;
    for (let row = start + 1; row < end; row++) {
      if (!sameWords(event, row) || !sameCreated(row)) {
        first[row] = row;
        continue;
      }
      first[row] = first[row - 1] as number;
      previous[row] = sameWords(hash, row) ? (previous[row - 1] as number) : row - 1;
      any ||= (previous[row] as number) >= 0;
    }
  }
  return any ? { previous, first } : undefined;
}

function sameWords(words: Int32Array, row: number): boolean {
  return words[2 * row] === words[2 * row - 2] && words[2 * row + 1] === words[2 * row - 1];
}
