/** An answer of the online path as a batch whose values can be computed again. */
import type { Column } from '../../arrow/column.ts';
import type { LiteralValue } from '../../definitions/literal.ts';
import { formatValueType, parseValueType } from '../../definitions/value-type.ts';
import { literalColumn } from '../../offline/literal-column.ts';
import type { OnlineAnswer } from '../../online/retrieve/answer.ts';
import { describeShape } from '../log/shape.ts';
import type { KnownThen, ServedBatch } from './pairs.ts';

/** `given` are the columns of the request that are no keys, one value a row. */
export function servedFromAnswer(
  answer: OnlineAnswer,
  knownAt: (label: string) => readonly KnownThen[],
  given: Readonly<Record<string, readonly LiteralValue[]>> = {},
): ServedBatch {
  const shape = describeShape(answer);
  const { rows } = answer;
  const times = new Array<LiteralValue>(rows).fill(answer.evaluatedAtUs);
  const columns: Column[] = [
    literalColumn(shape.own.evaluatedAt, { kind: 'timestamp' }, times),
    ...shape.columns.map(({ name, type, role }) => {
      const key = answer.entities.find((column) => column.name === name);
      const values = role === 'key' ? key?.values : given[name];
      return literalColumn(name, role === 'key' && key !== undefined ? key.type : parseValueType(type), values ?? []);
    }),
  ];
  return {
    request: {
      type: 'get_historical_features',
      features: [...shape.features],
      full_feature_names: shape.fullFeatureNames,
      statuses: true,
      timestamp: shape.own.evaluatedAt,
      keys: shape.keys,
    },
    version: shape.version,
    schema: { fields: columns.map(({ field }) => field), metadata: new Map() },
    columns,
    length: rows,
    outputs: answer.columns.map((column, at) => ({
      name: column.name,
      reference: shape.features[at] as string,
      view: column.view,
      feature: column.feature,
      type: formatValueType(column.type),
      online: column,
    })),
    knownAt,
  };
}
