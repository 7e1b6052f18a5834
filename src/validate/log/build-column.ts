/** The builder of a column of the log, by its field. */
import type { Field } from '../../arrow/schema.ts';
import type { LiteralValue } from '../../definitions/literal.ts';
import { parseValueType } from '../../definitions/value-type.ts';
import { valueColumn } from '../../offline/value-column.ts';
import type { ColumnBuilder } from './column-builder.ts';
import { createBigintsBuilder, createNumbersBuilder, createPlacesBuilder } from './fixed-builders.ts';
import { createTextBuilder } from './text-builder.ts';

/** Builds the column that valueColumn would, of a field of that type. */
export function createColumnBuilder(field: Field, type?: string): ColumnBuilder {
  if (field.dictionary !== undefined) return createPlacesBuilder(field);
  switch (field.type.id) {
    case 'timestamp':
      return createBigintsBuilder(field);
    case 'int':
      return field.type.bits === 64
        ? createBigintsBuilder(field)
        : createNumbersBuilder(field, (length) => new Int32Array(length));
    case 'float': {
      const { bits } = field.type;
      return createNumbersBuilder(field, (length) => (bits === 64 ? new Float64Array(length) : new Float32Array(length)));
    }
    case 'utf8':
      if (type === undefined || type === 'string') return createTextBuilder(field);
  }
  return createValuesBuilder(field, type as string);
}

/** Of all other types: the values are kept. */
function createValuesBuilder(field: Field, type: string): ColumnBuilder {
  const valueType = parseValueType(type);
  let kept: LiteralValue[] = [];
  let bytes = 0;

  function keep(value: LiteralValue): void {
    kept.push(value);
    bytes += 8 * ((value as ArrayLike<unknown> | null)?.length ?? 1);
  }

  return {
    add(values, { picked, from, to }) {
      for (let row = from; row < to; row++) keep(values[picked === undefined ? row : (picked[row] as number)] as LiteralValue);
    },
    repeat(value, rows) {
      for (let row = 0; row < rows; row++) keep(value as LiteralValue);
    },
    bytes: () => bytes,
    take() {
      const column = valueColumn(field.name, valueType, kept);
      kept = [];
      bytes = 0;
      return column;
    },
  };
}
