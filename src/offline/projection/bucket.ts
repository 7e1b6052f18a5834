/** One bucket of a projection in memory, ready to be looked up. */
import { getBit } from '../../arrow/bitmap.ts';
import type { Column } from '../../arrow/column.ts';
import { takeColumns } from '../../arrow/take.ts';
import type { ViewDocument } from '../../registry/document.ts';
import { splitUs } from '../instants.ts';
import { buildKeyIndex, type KeyIndex } from './key-index.ts';
import type { Rivals } from './look-up.ts';
import { choosePacked, packRows, takePacked } from './packed-rows.ts';
import { readStoredKeys } from './stored-keys.ts';
import { buildVisibility, type Visibility } from './visibility.ts';

export interface Bucket {
  readonly rows: number;
  readonly index: KeyIndex;
  /** Words of the event timestamps in microseconds. */
  readonly event: Int32Array;
  /** Rows of some features, by their positions in the view; null where the row is negative. */
  take(features: readonly number[], rows: Int32Array): Column[];
  readonly rivals?: Rivals;
  /** When rows become visible; undefined where that is event + delay for all of them. */
  visibility(delayUs: bigint, asKnown: boolean): Visibility | undefined;
  /** Memory that it takes, without the minima of visibility. */
  readonly bytes: number;
}

/** Makes a bucket of its stored columns (see `projectionSchema`). */
export function createBucket(view: ViewDocument, columns: readonly Column[]): Bucket {
  const byName = new Map(columns.map((column) => [column.field.name, column]));
  const stored = (name: string) => byName.get(name) as Column;
  const eventColumn = stored('event');
  const rows = eventColumn.length;
  const keyColumns = view.keys.map((_, index) => stored(`k${index}`));
  const index = buildKeyIndex(readStoredKeys(view, keyColumns, rows));
  const event = wordsOf(eventColumn);
  const created = byName.get('created');
  const available = byName.get('available');
  const hash = byName.get('row_hash');
  const kept = new Map<string, Visibility | undefined>();
  const visibility = (delayUs: bigint, asKnown: boolean) => {
    if (available === undefined && !(asKnown && created !== undefined)) return undefined;
    const variant = `${delayUs} ${asKnown}`;
    if (!kept.has(variant)) {
      const known = asKnown ? created : undefined;
      kept.set(
        variant,
        buildVisibility({
          event,
          delayUs: splitUs(delayUs),
          available: available && wordsOf(available),
          created: known && wordsOf(known),
          createdNulls: known?.validity && ((row) => isNull(known, row)),
        }),
      );
    }
    return kept.get(variant);
  };
  const features = holdFeatures(view.features.map((_, at) => stored(`f${at}`)));
  const others = columns.filter((column) => !column.field.name.startsWith('f') && column !== hash);
  return {
    rows,
    index,
    event,
    ...features,
    rivals: hash === undefined ? undefined : findRivals(index, event, created, wordsOf(hash)),
    visibility,
    bytes:
      others.reduce((sum, column) => sum + columnBytes(column), features.bytes) +
      index.slots.byteLength +
      index.starts.byteLength,
  };
}

/** Keeps fixed-width features row by row and the others as they are. */
function holdFeatures(columns: readonly Column[]): Pick<Bucket, 'take' | 'bytes'> {
  const chosen = choosePacked(columns);
  const packed = packRows(chosen.map((at) => columns[at] as Column));
  const slotOf = new Map(chosen.map((at, slot) => [at, slot]));
  const kept = columns.map((column, at) => (slotOf.has(at) ? undefined : column));
  const take = (features: readonly number[], rows: Int32Array): Column[] => {
    const inRows = features.filter((at) => slotOf.has(at));
    const apart = features.filter((at) => !slotOf.has(at));
    const slots = inRows.map((at) => slotOf.get(at) as number);
    const taken = new Map<number, Column>();
    for (const [index, column] of takePacked(packed, slots, rows).entries()) taken.set(inRows[index] as number, column);
    const others = takeColumns(
      apart.map((at) => kept[at] as Column),
      rows,
    );
    for (const [index, column] of others.entries()) taken.set(apart[index] as number, column);
    return features.map((at) => taken.get(at) as Column);
  };
  return {
    take,
    bytes: kept.reduce((sum, column) => sum + (column === undefined ? 0 : columnBytes(column)), packed.words.byteLength),
  };
}

/** Memory of a column's buffers. */
export function columnBytes(column: Column): number {
  const own = column.buffers.reduce((sum, buffer) => sum + buffer.byteLength, column.validity?.byteLength ?? 0);
  return column.children.reduce((sum, child) => sum + columnBytes(child), own);
}

/** Which rows differ by value alone from a row before them; rows equal in all columns are no rivals (section 3). */
function findRivals(index: KeyIndex, event: Int32Array, created: Column | undefined, hash: Int32Array): Rivals | undefined {
  const rows = event.length / 2;
  const previous = new Int32Array(rows).fill(-1);
  const first = new Int32Array(rows);
  const createdWords = created && wordsOf(created);
  const sameCreated = (row: number) => {
    if (created === undefined || createdWords === undefined) return true;
    if (isNull(created, row) || isNull(created, row - 1)) return isNull(created, row) && isNull(created, row - 1);
    return sameWords(createdWords, row);
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

function wordsOf(column: Column): Int32Array {
  const data = column.buffers[0] as Uint8Array;
  return new Int32Array(data.buffer, data.byteOffset, 2 * column.length);
}

function isNull(column: Column, row: number): boolean {
  return column.validity !== undefined && !getBit(column.validity, row);
}
