/** Rows of the feature log as batches whose values can be computed again. */
import type { Column } from '../../arrow/column.ts';
import { parseValueType } from '../../definitions/value-type.ts';
import { literalReader } from '../../offline/literal-column.ts';
import type { LoggedRows } from '../log/read-log.ts';
import { type LogShape, shapeFields } from '../log/shape.ts';
import type { ServedBatch } from './pairs.ts';
import { readSide } from './recompute.ts';

/** `keep` says which outputs are compared. */
export function servedFromLog({ shape, batch }: LoggedRows, keep: (output: LogShape['outputs'][number]) => boolean): ServedBatch {
  const names = shapeFields(shape).map(({ name }) => name);
  const columnOf = (name: string) => batch.columns[names.indexOf(name)] as Column;
  const frame = [shape.own.evaluatedAt, ...shape.columns.map(({ name }) => name)];
  const kept = shape.outputs.flatMap((output, at) =>
    keep(output) ? [{ ...output, reference: shape.features[at] as string }] : [],
  );
  const progress = new Map(
    shape.lookups.map(({ label, kind, progress: name }) => [
      label,
      { kind, read: literalReader(columnOf(name), { kind: 'timestamp' }) },
    ]),
  );
  return {
    request: {
      type: 'get_historical_features',
      features: kept.map(({ reference }) => reference),
      full_feature_names: shape.fullFeatureNames,
      statuses: true,
      timestamp: shape.own.evaluatedAt,
      keys: shape.keys,
    },
    version: shape.version,
    schema: { fields: frame.map((name) => columnOf(name).field), metadata: new Map() },
    columns: frame.map(columnOf),
    length: batch.length,
    entitiesOf(rows) {
      const readers = shape.columns.map(({ name, type }) => [name, literalReader(columnOf(name), parseValueType(type))] as const);
      return Object.fromEntries(readers.map(([name, read]) => [name, rows.map((row) => read(row))]));
    },
    outputs: kept.map(({ name, reference, view, feature, type }) => {
      const at = names.indexOf(name);
      return { name, reference, view, feature, type, online: readSide(batch.columns.slice(at, at + 4), type) };
    }),
    knownAt(label, row) {
      const known = progress.get(label);
      const us = known?.read(row) as bigint | null | undefined;
      if (us === undefined || known === undefined) return [{}];
      return [known.kind === 'batch' ? { watermarkUs: us } : { appliedUs: us }];
    },
  };
}
