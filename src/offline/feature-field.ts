/** Value types of definitions as Arrow fields. */
import { type ArrowType, type Field, field } from '../arrow/schema.ts';
import type { ValueType } from '../definitions/value-type.ts';

const simple: Record<string, ArrowType> = {
  bool: { id: 'bool' },
  int32: { id: 'int', bits: 32, signed: true },
  int64: { id: 'int', bits: 64, signed: true },
  float32: { id: 'float', bits: 32 },
  float64: { id: 'float', bits: 64 },
  string: { id: 'utf8' },
  bytes: { id: 'binary' },
  timestamp: { id: 'timestamp', unit: 'us', timezone: 'UTC' },
  date: { id: 'date', unit: 'day' },
};

/** The field of a feature: nullable, an instant in `timestamp[us, UTC]`, a vector as a fixed-size list. */
export function featureField(name: string, type: ValueType): Field {
  switch (type.kind) {
    case 'decimal':
      return field(name, { id: 'decimal', bits: 128, precision: type.precision, scale: type.scale });
    case 'list':
      return field(name, { id: 'list' }, [featureField('item', type.element)]);
    case 'vector':
      return field(name, { id: 'fixedSizeList', size: type.length }, [featureField('item', { kind: type.element })]);
    default:
      return field(name, simple[type.kind] as ArrowType);
  }
}
