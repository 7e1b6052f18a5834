/** Tallies of a table whose columns are features. */
import type { Column } from '../../arrow/column.ts';
import { readValue } from '../../arrow/read-value.ts';
import { type Field, formatType } from '../../arrow/schema.ts';
import { parseValueType } from '../../definitions/value-type.ts';
import { readTimes } from '../../offline/frame/read-times.ts';
import { type Instants, instantAt } from '../../offline/instants.ts';
import { typeOf } from '../parity/versions.ts';
import { countKeys } from './count-keys.ts';
import type { Measure } from './measure.ts';
import { refused } from './request.ts';
import type { Tallies, TalliesOptions } from './tallies.ts';
import type { Units } from './tally.ts';

/** Some of its rows. `plain` gives a column with its dictionary resolved. */
export interface TableBatch {
  readonly length: number;
  plain(index: number): Column;
}

export interface TableColumn {
  readonly column: string;
  readonly view: string;
  readonly feature: string;
  readonly index: number;
  /** The column that says which of its values are defaults; `unknown` where it has some and nothing says which, `none` where it has none. */
  readonly defaults: number | 'unknown' | 'none';
  /** Columns whose values together are a key, of each look-up; none: each row counts as a key of its own. */
  readonly keys: readonly (readonly number[])[];
}

/** Where the time of each row is: in a column, the same of all, or nowhere. */
export type TableTimes =
  | { readonly index: number; readonly name: string; readonly timezone: string | undefined }
  | { readonly atUs: bigint | null };

/** Counts rows into tallies, which have all of the columns' features; refuses columns that cannot be what they are taken for. */
export async function tallyTable(
  batches: AsyncIterable<TableBatch>,
  columns: readonly TableColumn[],
  times: TableTimes,
  { tallies, registry }: { readonly tallies: Tallies } & Pick<TalliesOptions, 'registry'>,
  signal: AbortSignal,
): Promise<void> {
  const found = columns.flatMap((column) => {
    const { view, feature } = column;
    const counted = tallies.of(view, feature);
    return counted === undefined ? [] : [{ ...column, ...counted, type: parseValueType(typeOf(registry, view, feature)) }];
  });
  const keys = new Map(found.flatMap((column) => column.keys.map((places) => [places.join(), { places, drawn: new Map() }])));
  const timezone = 'index' in times ? times.timezone : undefined;
  let rows = 0;
  for await (const batch of batches) {
    signal.throwIfAborted();
    const instants = 'index' in times ? readTimes(batch.plain(times.index), times.name, timezone, rows) : undefined;
    const atOf = (row: number) => ('atUs' in times ? times.atUs : timeIn(instants as Instants, row));
    for (const { places, drawn } of keys.values()) countKeys(drawn, places.map(batch.plain), batch.length);
    for (const { tally, measure, column, index, type, defaults } of found) {
      const values = batch.plain(index);
      const flags = typeof defaults === 'number' ? batch.plain(defaults) : undefined;
      checkColumn(values, column, measure.kind);
      const read = valueReader(values, column, type.kind, timezone ?? 'UTC');
      for (let row = 0; row < batch.length; row++) {
        const isDefault = flags !== undefined ? readValue(flags, row) === true : defaults === 'none' ? false : null;
        tally.add({ value: read(row), isDefault, atUs: atOf(row), eventUs: null });
      }
    }
    rows += batch.length;
    await new Promise(setImmediate);
  }
  for (const { tally, keys: places } of found) {
    if (places.length === 0) tally.draw(rows);
    for (const each of places) tally.draw(keys.get(each.join())?.drawn as Units);
  }
  tallies.addRows(rows);
}

/** Instants of any unit in microseconds, days as days. */
function valueReader(values: Column, column: string, kind: string, timezone: string): (row: number) => unknown {
  if (kind !== 'timestamp' && kind !== 'date') return (row) => readValue(values, row);
  const instants = readTimes(values, column, timezone, 0);
  return (row) => {
    const us = timeIn(instants, row);
    return us === null || kind === 'timestamp' ? us : Math.floor(Number(us) / 86_400e6);
  };
}

function timeIn(times: Instants, row: number): bigint | null {
  return times.nulls?.[row] === 1 ? null : instantAt(times, row);
}

const numeric: readonly string[] = ['int', 'float', 'decimal', 'bool', 'null', 'timestamp', 'date'];
const texts: readonly string[] = ['utf8', 'largeUtf8', 'utf8View', 'bool', 'null'];

/** Whether a column's values can be measured so. */
export function canMeasure({ type: { id } }: Field, kind: Measure['kind']): boolean {
  const isScalar = [...numeric, ...texts].includes(id);
  return kind === 'categories' ? texts.includes(id) || !isScalar : !texts.slice(0, 3).includes(id);
}

function checkColumn({ field }: Column, column: string, kind: Measure['kind']): void {
  if (canMeasure(field, kind)) return;
  throw refused(`column "${column}" is ${formatType(field)}, and its feature is ${kind === 'numbers' ? 'a number' : 'text'}`, {
    column,
  });
}
