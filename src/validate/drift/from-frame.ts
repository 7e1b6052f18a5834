/** Tallies of a training set: a table whose columns are features, of which each row counts as a key of its own. */

import type { Column } from '../../arrow/column.ts';
import { readValue } from '../../arrow/read-value.ts';
import type { Schema } from '../../arrow/schema.ts';
import { formatType } from '../../arrow/schema.ts';
import { parseValueType } from '../../definitions/value-type.ts';
import type { FrameBatch } from '../../offline/answer/answer.ts';
import { readTimes } from '../../offline/frame/read-times.ts';
import { type Instants, instantAt } from '../../offline/instants.ts';
import { parseFeatureReference } from '../../registry/references.ts';
import { mapColumns } from '../leaks/table/map-columns.ts';
import { typeOf } from '../parity/versions.ts';
import { type DriftRequest, refused } from './request.ts';
import { createTallies, type Tallies, type TalliesOptions } from './tallies.ts';

export interface TrainingFrame {
  readonly schema: Schema;
  batches(maxRows: number, signal: AbortSignal): AsyncIterable<FrameBatch>;
}

const batchRows = 65_536;

/** Refuses columns that cannot be what they are taken for. */
export async function tallyFrame(
  frame: TrainingFrame,
  options: TalliesOptions,
  { columns, timestamp, timezone }: Pick<DriftRequest, 'columns' | 'timestamp' | 'timezone'>,
  signal: AbortSignal,
): Promise<{ readonly tallies: Tallies; readonly skipped: readonly { readonly feature: string; readonly reason: string }[] }> {
  const { registry, wanted } = options;
  const { schema } = frame;
  const names = schema.fields.map(({ name }) => name);
  const timeAt = timestamp == null ? -1 : names.indexOf(timestamp);
  if (timestamp != null && timeAt < 0) throw refused(`the training set has no column "${timestamp}"`, { column: timestamp });
  const statuses = names.filter((name) => /__(status|event_timestamp|is_default)$/.test(name));
  const apart = [...statuses, ...(timestamp == null ? [] : [timestamp])];
  const map = mapColumns(registry, schema, { given: columns, apart, references: wanted && [...wanted] });
  const tallies = createTallies(options);
  const skipped: { feature: string; reason: string }[] = [];
  const wantedColumns = map.columns.flatMap(({ column, reference, index }) => {
    const { view, feature } = parseFeatureReference(reference);
    const found = tallies.of(view, feature);
    if (found === undefined) throw refused(`column "${column}" is to be "${reference}", which is no feature`, { column });
    const type = parseValueType(typeOf(registry, view, feature));
    const needsTime = (type.kind === 'timestamp' || type.kind === 'date') && timeAt < 0;
    if (needsTime) {
      skipped.push({ feature: reference, reason: 'its age is compared, and no column of times is named by timestamp' });
      return [];
    }
    return [{ ...found, column, index, type, isDefault: names.indexOf(`${column}__is_default`) }];
  });
  const drawn = { rows: 0 };
  for await (const batch of frame.batches(batchRows, signal)) {
    signal.throwIfAborted();
    const times = timeAt < 0 ? undefined : readTimes(batch.plain(timeAt), timestamp as string, timezone ?? undefined, drawn.rows);
    for (const { tally, measure, column, index, type, isDefault } of wantedColumns) {
      const values = batch.plain(index);
      const flags = isDefault < 0 ? undefined : batch.plain(isDefault);
      checkColumn(values, column, measure.kind);
      const read = valueReader(values, column, type.kind, timezone ?? 'UTC');
      for (let row = 0; row < batch.length; row++) {
        const atUs = times === undefined ? null : timeIn(times, row);
        tally.add({ value: read(row), isDefault: flags !== undefined && readValue(flags, row) === true, atUs, eventUs: null });
      }
    }
    drawn.rows += batch.length;
  }
  for (const { tally } of wantedColumns) tally.draw(drawn.rows);
  tallies.addRows(drawn.rows);
  return { tallies, skipped: [...skipped, ...map.unmapped.map(({ column, text }) => ({ feature: column, reason: text }))] };
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

function checkColumn({ field }: Column, column: string, kind: 'numbers' | 'categories'): void {
  const { id } = field.type;
  const isScalar = [...numeric, ...texts].includes(id);
  if (kind === 'categories' ? texts.includes(id) || !isScalar : !texts.slice(0, 3).includes(id)) return;
  throw refused(`column "${column}" is ${formatType(field)}, and its feature is ${kind === 'numbers' ? 'a number' : 'text'}`, {
    column,
  });
}
