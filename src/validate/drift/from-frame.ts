/** Tallies of a training set: a table whose columns are features, of which each row counts as a key of its own. */
import type { Schema } from '../../arrow/schema.ts';
import { parseValueType } from '../../definitions/value-type.ts';
import type { FrameBatch } from '../../offline/answer/answer.ts';
import { parseFeatureReference } from '../../registry/references.ts';
import { mapColumns } from '../leaks/table/map-columns.ts';
import { hasDefault, hasFeature, typeOf } from '../parity/versions.ts';
import type { DriftSummary } from './report.ts';
import { type DriftRequest, refused } from './request.ts';
import { createTallies, type Tallies, type TalliesOptions } from './tallies.ts';
import { type TableColumn, tallyTable } from './tally-table.ts';

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
): Promise<{ readonly tallies: Tallies; readonly skipped: DriftSummary['skipped'] }> {
  const { registry, wanted } = options;
  const { schema } = frame;
  const names = schema.fields.map(({ name }) => name);
  const timeAt = timestamp == null ? -1 : names.indexOf(timestamp);
  if (timestamp != null && timeAt < 0) throw refused(`the training set has no column "${timestamp}"`, { column: timestamp });
  const statuses = names.filter((name) => /__(status|event_timestamp|is_default)$/.test(name));
  const apart = [...statuses, ...(timestamp == null ? [] : [timestamp])];
  const map = mapColumns(registry, schema, { given: columns, apart, references: wanted && [...wanted] });
  const skipped: { feature: string; reason: string }[] = [];
  const found = map.columns.flatMap(({ column, reference, index }): TableColumn[] => {
    const { view, feature } = parseFeatureReference(reference);
    const isWanted = wanted === undefined || wanted.has(`${view}:${feature}`);
    if (!isWanted || !hasFeature(registry, view, feature))
      throw refused(`column "${column}" is to be "${reference}", which is no feature`, { column });
    const { kind } = parseValueType(typeOf(registry, view, feature));
    if ((kind === 'timestamp' || kind === 'date') && timeAt < 0) {
      skipped.push({ feature: reference, reason: 'its age is compared, and no column of times is named by timestamp' });
      return [];
    }
    const flags = names.indexOf(`${column}__is_default`);
    const defaults = flags >= 0 ? flags : hasDefault(registry, view, feature) ? 'unknown' : 'none';
    return [{ column, view, feature, index, defaults, keys: [] }];
  });
  const tallies = createTallies(options);
  const times = timeAt < 0 ? { atUs: null } : { index: timeAt, name: timestamp as string, timezone: timezone ?? undefined };
  await tallyTable(frame.batches(batchRows, signal), found, times, { tallies, registry }, signal);
  return { tallies, skipped: [...skipped, ...map.unmapped.map(({ column, text }) => ({ feature: column, reason: text }))] };
}
