/** What a matrix cannot hold of a dataset's columns, as their statistics tell before any row is read. */
import type { Field } from '../arrow/schema.ts';
import { type DenseType, nullsWay, refuseColumn } from './dense.ts';
import type { DenseRequest } from './layout.ts';
import { type ColumnStatistics, type DatasetManifest, schemaOf } from './manifest.ts';

/**
 * INVALID_ARGUMENT names the column that a row keeps from being part of a matrix, and the ways out: a null of the split that is read, or any other
 * thing of any split.
 */
export function checkDense(manifest: DatasetManifest, dense: readonly DenseRequest[], split: string): void {
  const { fields } = schemaOf(manifest);
  for (const { columns, type, fill } of dense)
    for (const name of columns) {
      const field = fields.find((one) => one.name === name);
      const column = manifest.columns.find((one) => one.name === name);
      if (field === undefined || column === undefined || column.vocabulary !== null) continue;
      const { statistics } = column;
      const nulls = nullsOf(statistics, manifest, split);
      if (fill === undefined && type.startsWith('int') && nulls > 0)
        throw refuseColumn(field, `has ${nulls} nulls, which integers have no place for`, nullsWay);
      if ((statistics.null_elements ?? 0) > 0)
        throw refuseColumn(field, 'has lists with nulls in them', 'leave it out, or ask for it as a column of its own');
      if (field.type.id === 'int') checkIntegers(field, statistics, type);
    }
}

/** Where it is not known of the split, its rows are to say it. */
function nullsOf({ nulls, nulls_by_split: bySplit }: ColumnStatistics, { splits }: DatasetManifest, split: string): number {
  return splits.length === 1 ? nulls : (bySplit?.[split] ?? 0);
}

const exact = 2n ** 53n - 1n;
const ranges: Readonly<Record<DenseType, readonly [bigint, bigint]>> = {
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  float32: [-exact, exact],
  float64: [-exact, exact],
};

function checkIntegers(field: Field, { min, max, inexact_float32: inexact }: ColumnStatistics, type: DenseType): void {
  const [least, most] = ranges[type];
  const isInteger = type.startsWith('int');
  for (const value of [min, max]) {
    if (value == null || (BigInt(value) >= least && BigInt(value) <= most)) continue;
    throw isInteger
      ? refuseColumn(field, `holds ${value}, which is outside ${type}`, 'ask for int64, or leave it out')
      : refuseColumn(field, `holds ${value}, which ${type} has not the digits for`, 'ask for int64, or leave it out');
  }
  if (type === 'float32' && inexact !== undefined && inexact > 0)
    throw refuseColumn(
      field,
      `holds ${inexact} values between ${min} and ${max} that float32 has not the digits for`,
      'ask for float64 or int64, or leave it out',
    );
}
