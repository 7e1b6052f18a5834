/** DuckDB's types as Arrow fields. */
import {
  type DuckDBArrayType,
  type DuckDBDecimalType,
  type DuckDBListType,
  type DuckDBMapType,
  type DuckDBStructType,
  type DuckDBType,
  DuckDBTypeId,
} from '@duckdb/node-api';
import { FeatureStoreError } from '../errors.ts';
import { type ArrowType, type Field, field } from './schema.ts';

/**
 * The field of a DuckDB column, as docs/reference/types.md tabulates it: enums and uuids become utf8, hugeints decimal128(38, 0).
 * INVALID_ARGUMENT for a type without a counterpart (time with zone, bit, bignum, union, variant, geometry).
 */
export function duckdbField(name: string, type: DuckDBType): Field {
  const simple = simpleTypes[type.typeId];
  if (simple !== undefined) return field(name, simple);
  switch (type.typeId) {
    case DuckDBTypeId.DECIMAL: {
      const { width, scale } = type as DuckDBDecimalType;
      return field(name, { id: 'decimal', bits: 128, precision: width, scale });
    }
    case DuckDBTypeId.LIST:
      return field(name, { id: 'list' }, [duckdbField('item', (type as DuckDBListType).valueType)]);
    case DuckDBTypeId.ARRAY: {
      const { valueType, length } = type as DuckDBArrayType;
      return field(name, { id: 'fixedSizeList', size: length }, [duckdbField('item', valueType)]);
    }
    case DuckDBTypeId.STRUCT: {
      const { entryNames, entryTypes } = type as DuckDBStructType;
      return field(
        name,
        { id: 'struct' },
        entryNames.map((entry, i) => duckdbField(entry, entryTypes[i] as DuckDBType)),
      );
    }
    case DuckDBTypeId.MAP: {
      const { keyType, valueType } = type as DuckDBMapType;
      const entries = field('entries', { id: 'struct' }, [
        { ...duckdbField('key', keyType), nullable: false },
        duckdbField('value', valueType),
      ]);
      return field(name, { id: 'map', keysSorted: false }, [{ ...entries, nullable: false }]);
    }
    default:
      throw new FeatureStoreError(
        'INVALID_ARGUMENT',
        `Column "${name}" has DuckDB type ${type}, which has no Arrow counterpart here; cast it, for example to VARCHAR`,
        {
          details: { column: name, type: String(type) },
        },
      );
  }
}

const int = (bits: 8 | 16 | 32 | 64, signed: boolean): ArrowType => ({ id: 'int', bits, signed });
const hugeint: ArrowType = { id: 'decimal', bits: 128, precision: 38, scale: 0 };

const simpleTypes: Partial<Record<DuckDBTypeId, ArrowType>> = {
  [DuckDBTypeId.SQLNULL]: { id: 'null' },
  [DuckDBTypeId.BOOLEAN]: { id: 'bool' },
  [DuckDBTypeId.TINYINT]: int(8, true),
  [DuckDBTypeId.SMALLINT]: int(16, true),
  [DuckDBTypeId.INTEGER]: int(32, true),
  [DuckDBTypeId.BIGINT]: int(64, true),
  [DuckDBTypeId.UTINYINT]: int(8, false),
  [DuckDBTypeId.USMALLINT]: int(16, false),
  [DuckDBTypeId.UINTEGER]: int(32, false),
  [DuckDBTypeId.UBIGINT]: int(64, false),
  [DuckDBTypeId.HUGEINT]: hugeint,
  [DuckDBTypeId.UHUGEINT]: hugeint,
  [DuckDBTypeId.FLOAT]: { id: 'float', bits: 32 },
  [DuckDBTypeId.DOUBLE]: { id: 'float', bits: 64 },
  [DuckDBTypeId.VARCHAR]: { id: 'utf8' },
  [DuckDBTypeId.ENUM]: { id: 'utf8' },
  [DuckDBTypeId.UUID]: { id: 'utf8' },
  [DuckDBTypeId.BLOB]: { id: 'binary' },
  [DuckDBTypeId.DATE]: { id: 'date', unit: 'day' },
  [DuckDBTypeId.TIME]: { id: 'time', unit: 'us', bits: 64 },
  [DuckDBTypeId.TIME_NS]: { id: 'time', unit: 'ns', bits: 64 },
  [DuckDBTypeId.TIMESTAMP_S]: { id: 'timestamp', unit: 's' },
  [DuckDBTypeId.TIMESTAMP_MS]: { id: 'timestamp', unit: 'ms' },
  [DuckDBTypeId.TIMESTAMP]: { id: 'timestamp', unit: 'us' },
  [DuckDBTypeId.TIMESTAMP_NS]: { id: 'timestamp', unit: 'ns' },
  [DuckDBTypeId.TIMESTAMP_TZ]: { id: 'timestamp', unit: 'us', timezone: 'UTC' },
  [DuckDBTypeId.INTERVAL]: { id: 'interval', unit: 'monthDayNano' },
};
