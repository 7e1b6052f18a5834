/** Types of source columns, as DuckDB prints them, and which value types hold every value of each. */
import type { SimpleTypeName, ValueType } from '../../definitions/value-type.ts';

/** Digits before the point; a HUGEINT of 39 is refused when it is read. */
const integerDigits: Readonly<Record<string, number>> = {
  TINYINT: 3,
  UTINYINT: 3,
  SMALLINT: 5,
  USMALLINT: 5,
  INTEGER: 10,
  UINTEGER: 10,
  BIGINT: 19,
  UBIGINT: 20,
  HUGEINT: 38,
  UHUGEINT: 38,
};

const wideningsOf: Readonly<Record<string, readonly string[]>> = {
  BOOLEAN: ['bool'],
  TINYINT: ['int32', 'int64', 'float32', 'float64'],
  UTINYINT: ['int32', 'int64', 'float32', 'float64'],
  SMALLINT: ['int32', 'int64', 'float32', 'float64'],
  USMALLINT: ['int32', 'int64', 'float32', 'float64'],
  INTEGER: ['int32', 'int64', 'float64'],
  UINTEGER: ['int64', 'float64'],
  BIGINT: ['int64'],
  UBIGINT: [],
  FLOAT: ['float32', 'float64'],
  DOUBLE: ['float64'],
  VARCHAR: ['string'],
  JSON: ['string'],
  UUID: ['string'],
  BLOB: ['bytes'],
  DATE: ['date', 'timestamp'],
  TIMESTAMP: ['timestamp'],
  TIMESTAMP_S: ['timestamp'],
  TIMESTAMP_MS: ['timestamp'],
  TIMESTAMP_NS: ['timestamp'],
  'TIMESTAMP WITH TIME ZONE': ['timestamp'],
};

const zonelessNames = ['DATE', 'TIMESTAMP', 'TIMESTAMP_S', 'TIMESTAMP_MS', 'TIMESTAMP_NS'];

/** Whether every value of a column fits the value type exactly (nanoseconds of an instant are floored, rule 1.1). */
export function fitsValueType(columnType: string, type: ValueType): boolean {
  if (columnType === '"NULL"') return true;
  const list = splitList(columnType);
  if (type.kind === 'list') return list !== undefined && fitsValueType(list.element, type.element);
  if (type.kind === 'vector') {
    const sized = list !== undefined && (list.length === undefined || list.length === type.length);
    return sized && fitsValueType(list.element, { kind: type.element });
  }
  if (list !== undefined) return false;
  const decimal = parseDecimal(columnType);
  if (decimal !== undefined) return fitsDecimal(decimal, type);
  if (columnType.startsWith('ENUM(')) return type.kind === 'string';
  const digits = integerDigits[columnType];
  if (type.kind === 'decimal') return digits !== undefined && type.precision - type.scale >= digits;
  return wideningsOf[columnType]?.includes(type.kind) ?? false;
}

/** The value type to declare for a column, or undefined where none holds its values. */
export function naturalValueType(columnType: string): string | undefined {
  const list = splitList(columnType);
  if (list !== undefined) {
    const element = naturalValueType(list.element);
    const vector = list.length !== undefined && (element === 'float32' || element === 'float64');
    return element === undefined ? undefined : vector ? `vector(${element},${list.length})` : `list(${element})`;
  }
  if (columnType === 'UBIGINT') return 'decimal(20,0)';
  if (columnType === 'HUGEINT' || columnType === 'UHUGEINT') return 'decimal(38,0)';
  if (columnType.startsWith('ENUM(')) return 'string';
  const decimal = parseDecimal(columnType);
  if (decimal !== undefined) return `decimal(${decimal.precision},${decimal.scale})`;
  return wideningsOf[columnType]?.[0];
}

/** Whether the column, or the elements of its lists, are times without a zone. */
export function isZoneless(columnType: string): boolean {
  const list = splitList(columnType);
  return list === undefined ? zonelessNames.includes(columnType) : isZoneless(list.element);
}

/** Whether the column itself, no list, can be read as an instant. */
export function isTime(columnType: string): boolean {
  return fitsValueType(columnType, { kind: 'timestamp' }) && columnType !== '"NULL"';
}

/** DuckDB's name of a value type, for columns of text files whose type is declared. */
export function columnTypeOf(type: ValueType): string {
  switch (type.kind) {
    case 'decimal':
      return `DECIMAL(${type.precision},${type.scale})`;
    case 'list':
      return `${columnTypeOf(type.element)}[]`;
    case 'vector':
      return `${simpleColumnTypes[type.element]}[${type.length}]`;
    default:
      return simpleColumnTypes[type.kind];
  }
}

const simpleColumnTypes: Readonly<Record<SimpleTypeName, string>> = {
  bool: 'BOOLEAN',
  int32: 'INTEGER',
  int64: 'BIGINT',
  float32: 'FLOAT',
  float64: 'DOUBLE',
  string: 'VARCHAR',
  bytes: 'BLOB',
  timestamp: 'TIMESTAMP WITH TIME ZONE',
  date: 'DATE',
};

/** `FLOAT[3]` is a list of FLOAT of length 3, `FLOAT[]` one of any length; undefined for what is no list. */
function splitList(columnType: string): { element: string; length: number | undefined } | undefined {
  const found = /^(.*)\[(\d*)\]$/s.exec(columnType);
  if (found === null) return undefined;
  return { element: found[1] as string, length: found[2] === '' ? undefined : Number(found[2]) };
}

function parseDecimal(columnType: string): { precision: number; scale: number } | undefined {
  const found = /^DECIMAL\((\d+),\s*(\d+)\)$/.exec(columnType);
  return found === null ? undefined : { precision: Number(found[1]), scale: Number(found[2]) };
}

/** A decimal widens to more digits on either side of the point; one of scale 0 also to integers and doubles that hold its digits. */
function fitsDecimal(from: { precision: number; scale: number }, to: ValueType): boolean {
  if (to.kind === 'decimal') return to.scale >= from.scale && to.precision - to.scale >= from.precision - from.scale;
  if (from.scale > 0) return false;
  const most: Readonly<Record<string, number>> = { int32: 9, int64: 18, float32: 7, float64: 15 };
  return from.precision <= (most[to.kind] ?? 0);
}
