/** Plain values of a value type as an Arrow column. */
import { columnFromValues } from '../arrow/build.ts';
import type { Column } from '../arrow/column.ts';
import { parseDay } from '../definitions/day.ts';
import type { LiteralValue } from '../definitions/literal.ts';
import type { ValueType } from '../definitions/value-type.ts';
import { featureField } from './feature-field.ts';

/** The column of a feature's values, see featureField. */
export function valueColumn(name: string, type: ValueType, values: readonly LiteralValue[]): Column {
  return columnFromValues(featureField(name, type), valuesOf(type, values));
}

/** Days as numbers, also within lists. */
function valuesOf(type: ValueType, values: readonly LiteralValue[]): readonly unknown[] {
  if (type.kind === 'date') return values.map((value) => (value === null ? null : parseDay(value as string)));
  if (type.kind !== 'list') return values;
  const { element } = type;
  return values.map((value) => (value === null ? null : valuesOf(element, value as readonly LiteralValue[])));
}
