/** Times of day of Parquet that are marked as UTC, which DuckDB reads as times with a zone: Arrow's have none. */
import {
  type DuckDBListType,
  type DuckDBMapType,
  type DuckDBStructType,
  type DuckDBType,
  DuckDBTypeId,
  LIST,
  MAP,
  STRUCT,
  TIME,
} from '@duckdb/node-api';

/** The type with every time with a zone inside it made one without. */
export function withoutZone(type: DuckDBType): DuckDBType {
  if (isWithoutZone(type)) return type;
  switch (type.typeId) {
    case DuckDBTypeId.LIST:
      return LIST(withoutZone((type as DuckDBListType).valueType));
    case DuckDBTypeId.MAP: {
      const { keyType, valueType } = type as DuckDBMapType;
      return MAP(withoutZone(keyType), withoutZone(valueType));
    }
    case DuckDBTypeId.STRUCT: {
      const { entryNames, entryTypes } = type as DuckDBStructType;
      return STRUCT(Object.fromEntries(entryNames.map((name, index) => [name, withoutZone(entryTypes[index] as DuckDBType)])));
    }
    default:
      return TIME;
  }
}

/** Whether no time with a zone is in it. */
export function isWithoutZone(type: DuckDBType): boolean {
  switch (type.typeId) {
    case DuckDBTypeId.TIME_TZ:
      return false;
    case DuckDBTypeId.LIST:
      return isWithoutZone((type as DuckDBListType).valueType);
    case DuckDBTypeId.MAP:
      return isWithoutZone((type as DuckDBMapType).keyType) && isWithoutZone((type as DuckDBMapType).valueType);
    case DuckDBTypeId.STRUCT:
      return (type as DuckDBStructType).entryTypes.every(isWithoutZone);
    default:
      return true;
  }
}
