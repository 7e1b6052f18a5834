/** The order and the equality of values (rule 3.1) as expressions of DuckDB. */
import {
  DuckDBArrayType,
  DuckDBDecimalType,
  DuckDBListType,
  DuckDBMapType,
  DuckDBStructType,
  type DuckDBType,
  DuckDBTypeId,
} from '@duckdb/node-api';
import { compileLocalUs } from './instant.ts';
import { compileLambda, quoteName, quoteText } from './sql.ts';

/**
 * An expression whose ascending order, nulls first, is the order of rule 3.1. DuckDB's own order is that already, but for nulls
 * inside of lists and structs, which it takes for the greatest, enums, which it orders by position, and nanoseconds (rule 1.1).
 */
export function compileValueOrder(value: string, type: DuckDBType, depth = 0): string {
  if (type.typeId === DuckDBTypeId.ENUM) return `cast(${value} as varchar)`;
  if (type.typeId === DuckDBTypeId.TIMESTAMP_NS) return compileLocalUs(value, type.typeId);
  if (type instanceof DuckDBListType) return compileListOrder(value, type.valueType, depth);
  if (type instanceof DuckDBArrayType) return compileListOrder(compileAsList(value, type), type.valueType, depth);
  if (type instanceof DuckDBMapType) {
    const entries = new DuckDBListType(new DuckDBStructType(['key', 'value'], [type.keyType, type.valueType]));
    return compileValueOrder(`map_entries(${value})`, entries, depth);
  }
  if (type instanceof DuckDBStructType) {
    const parts = type.entryNames.flatMap((name, index) => {
      const entry = `struct_extract(${value}, ${quoteText(name)})`;
      const order = compileValueOrder(entry, type.entryTypes[index] as DuckDBType, depth);
      return [`${quoteName(`p${index}`)} := ${entry} is not null`, `${quoteName(`v${index}`)} := ${order}`];
    });
    return `case when ${value} is null then null else struct_pack(${parts.join(', ')}) end`;
  }
  return value;
}

/**
 * An expression that puts -0.0 before 0.0, which are equal by value, so that the order of files never decides between them;
 * undefined for a type without floats.
 */
export function compileSignOrder(value: string, type: DuckDBType): string | undefined {
  if (isFloat(type)) return `not signbit(${value})`;
  return holdsFloats(type) ? `cast(${value} as varchar)` : undefined;
}

/**
 * An expression for `hash`, the same exactly for equal values. Types of more than 64 bits go by their text: DuckDB's hashes of them
 * meet at the values most used, those of 0 and -1 as wide integers, of a null, an empty list and a list of nulls.
 */
export function compileValueIdentity(value: string, type: DuckDBType): string {
  if (hashedWell.has(type.typeId) || (type instanceof DuckDBDecimalType && type.width <= 18))
    return compileValueOrder(value, type);
  return `cast(${compileUnsigned(value, type, 0)} as varchar)`;
}

const hashedWell: ReadonlySet<DuckDBTypeId> = new Set([
  DuckDBTypeId.BOOLEAN,
  DuckDBTypeId.TINYINT,
  DuckDBTypeId.SMALLINT,
  DuckDBTypeId.INTEGER,
  DuckDBTypeId.BIGINT,
  DuckDBTypeId.UTINYINT,
  DuckDBTypeId.USMALLINT,
  DuckDBTypeId.UINTEGER,
  DuckDBTypeId.UBIGINT,
  DuckDBTypeId.FLOAT,
  DuckDBTypeId.DOUBLE,
  DuckDBTypeId.VARCHAR,
  DuckDBTypeId.BLOB,
  DuckDBTypeId.DATE,
  DuckDBTypeId.TIMESTAMP,
  DuckDBTypeId.TIMESTAMP_S,
  DuckDBTypeId.TIMESTAMP_MS,
  DuckDBTypeId.TIMESTAMP_NS,
  DuckDBTypeId.TIMESTAMP_TZ,
]);

/** The same value with 0.0 for every -0.0 in its lists. */
function compileUnsigned(value: string, type: DuckDBType, depth: number): string {
  if (isFloat(type)) return `${value} + 0`;
  if (type instanceof DuckDBArrayType)
    return compileUnsigned(compileAsList(value, type), new DuckDBListType(type.valueType), depth);
  if (!(type instanceof DuckDBListType) || !holdsFloats(type)) return value;
  return `list_transform(${value}, ${compileLambda(depth, (element) => compileUnsigned(element, type.valueType, depth + 1))})`;
}

function compileListOrder(value: string, element: DuckDBType, depth: number): string {
  const order = compileLambda(
    depth,
    (name) => `struct_pack(p := ${name} is not null, v := ${compileValueOrder(name, element, depth + 1)})`,
  );
  return `list_transform(${value}, ${order})`;
}

function compileAsList(value: string, type: DuckDBArrayType): string {
  return `cast(${value} as ${type.valueType}[])`;
}

function isFloat(type: DuckDBType): boolean {
  return type.typeId === DuckDBTypeId.FLOAT || type.typeId === DuckDBTypeId.DOUBLE;
}

function holdsFloats(type: DuckDBType): boolean {
  if (type instanceof DuckDBListType || type instanceof DuckDBArrayType) return holdsFloats(type.valueType);
  if (type instanceof DuckDBMapType) return holdsFloats(type.keyType) || holdsFloats(type.valueType);
  if (type instanceof DuckDBStructType) return type.entryTypes.some(holdsFloats);
  return isFloat(type);
}
