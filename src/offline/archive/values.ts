/** Pushed values, as JSON or programs write them, as values of a source's columns; what does not fit its column is refused by name. */
import {
  arrayValue,
  BIGINT,
  DuckDBArrayType,
  DuckDBBlobValue,
  DuckDBDateValue,
  type DuckDBDecimalType,
  DuckDBDecimalValue,
  type DuckDBListType,
  DuckDBTimestampMillisecondsValue,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimestampSecondsValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  type DuckDBType,
  DuckDBTypeId,
  type DuckDBValue,
  LIST,
  listValue,
  VARCHAR,
} from '@duckdb/node-api';
import { parseDay } from '../../definitions/day.ts';
import { encodeLiteral } from '../../definitions/literal.ts';
import { FeatureStoreError } from '../../errors.ts';
import { readPushedTime, type TimeZoneRule } from './times.ts';

export interface PushedColumn {
  /** In which the values are handed to DuckDB, which casts them to the column's own type. */
  readonly type: DuckDBType;
  /** A value that is not null; throws INVALID_ARGUMENT saying what it is not. */
  convert(value: unknown): DuckDBValue;
}

const integerBits: Partial<Record<DuckDBTypeId, readonly [signed: boolean, bits: number]>> = {
  [DuckDBTypeId.TINYINT]: [true, 8],
  [DuckDBTypeId.SMALLINT]: [true, 16],
  [DuckDBTypeId.INTEGER]: [true, 32],
  [DuckDBTypeId.BIGINT]: [true, 64],
  [DuckDBTypeId.UTINYINT]: [false, 8],
  [DuckDBTypeId.USMALLINT]: [false, 16],
  [DuckDBTypeId.UINTEGER]: [false, 32],
  [DuckDBTypeId.UBIGINT]: [false, 64],
};

const units = {
  [DuckDBTypeId.TIMESTAMP_S]: [1_000_000_000n, (count: bigint) => new DuckDBTimestampSecondsValue(count)],
  [DuckDBTypeId.TIMESTAMP_MS]: [1_000_000n, (count: bigint) => new DuckDBTimestampMillisecondsValue(count)],
  [DuckDBTypeId.TIMESTAMP]: [1000n, (count: bigint) => new DuckDBTimestampValue(count)],
  [DuckDBTypeId.TIMESTAMP_NS]: [1n, (count: bigint) => new DuckDBTimestampNanosecondsValue(count)],
} as const;

/** Chosen once a column. */
export function compilePushedColumn(type: DuckDBType, zone: TimeZoneRule): PushedColumn {
  const bits = integerBits[type.typeId];
  if (bits !== undefined) return integerColumn(type, ...bits);
  switch (type.typeId) {
    case DuckDBTypeId.BOOLEAN:
      return { type, convert: (value) => (typeof value === 'boolean' ? value : refuse(value, type, 'write true or false')) };
    case DuckDBTypeId.FLOAT:
    case DuckDBTypeId.DOUBLE:
      return { type, convert: (value) => toFloat(value, type) };
    case DuckDBTypeId.DECIMAL: {
      const { width: precision, scale } = type as DuckDBDecimalType;
      const unscaled = (value: unknown) => encodeLiteral({ kind: 'decimal', precision, scale }, value) as string;
      return {
        type,
        convert: (value) => new DuckDBDecimalValue(BigInt(unscaled(value).replace('.', '')), precision, scale),
      };
    }
    case DuckDBTypeId.VARCHAR:
      return { type, convert: (value) => encodeLiteral({ kind: 'string' }, value) as string };
    case DuckDBTypeId.BLOB:
      return { type, convert: (value) => new DuckDBBlobValue(toBytes(value, type)) };
    case DuckDBTypeId.DATE:
      return { type, convert: (value) => new DuckDBDateValue(toDay(value, type)) };
    case DuckDBTypeId.TIMESTAMP_TZ:
      return {
        type,
        convert: (value) => new DuckDBTimestampTZValue(wholeCount(readPushedTime(value, zone, 'instant'), 1000n, value, type)),
      };
    case DuckDBTypeId.TIMESTAMP_S:
    case DuckDBTypeId.TIMESTAMP_MS:
    case DuckDBTypeId.TIMESTAMP:
    case DuckDBTypeId.TIMESTAMP_NS: {
      const [unit, make] = units[type.typeId];
      return { type, convert: (value) => make(wholeCount(readPushedTime(value, zone, 'local'), unit, value, type)) };
    }
    case DuckDBTypeId.LIST:
    case DuckDBTypeId.ARRAY: {
      const length = type instanceof DuckDBArrayType ? type.length : undefined;
      const element = compilePushedColumn((type as DuckDBListType | DuckDBArrayType).valueType, zone);
      const items = (value: unknown) => {
        if (!Array.isArray(value)) return refuse(value, type, 'write an array');
        if (length !== undefined && value.length !== length) return refuse(value, type, `write an array of ${length}`);
        return value.map((item) => (item === null ? null : element.convert(item)));
      };
      return length === undefined
        ? { type: LIST(element.type), convert: (value) => listValue(items(value)) }
        : { type, convert: (value) => arrayValue(items(value)) };
    }
    default:
      return { type: VARCHAR, convert: (value) => (typeof value === 'string' ? value : refuse(value, type, 'write it as text')) };
  }
}

/** Also as text, as JSON writes integers that a double would round. */
function integerColumn(type: DuckDBType, signed: boolean, bits: number): PushedColumn {
  const isBig = type.typeId === BIGINT.typeId || type.typeId === DuckDBTypeId.UBIGINT;
  return {
    type,
    convert(value) {
      const isWhole = typeof value === 'bigint' || Number.isSafeInteger(value) || /^-?\d{1,20}$/.test(textOf(value));
      if (!isWhole) return refuse(value, type, 'write a whole number, above 2^53 as text');
      const integer = BigInt(value as bigint | number | string);
      const fits = (signed ? BigInt.asIntN(bits, integer) : BigInt.asUintN(bits, integer)) === integer;
      if (!fits) return refuse(value, type, 'it does not fit');
      return isBig ? integer : Number(integer);
    },
  };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function toFloat(value: unknown, type: DuckDBType): number {
  if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return Number(value);
  const number = typeof value === 'bigint' ? Number(value) : value;
  if (typeof number !== 'number') return refuse(value, type, 'write a number, or "NaN", "Infinity", "-Infinity"');
  const isLost = type.typeId === DuckDBTypeId.FLOAT && Number.isFinite(number) && !Number.isFinite(Math.fround(number));
  return isLost ? refuse(value, type, 'it is larger than any float32') : number;
}

function toBytes(value: unknown, type: DuckDBType): Uint8Array {
  if (value instanceof Uint8Array) return value;
  const text = textOf(value);
  const bytes = Buffer.from(text, 'base64');
  return typeof value === 'string' && bytes.toString('base64').replaceAll('=', '') === text.replaceAll('=', '')
    ? new Uint8Array(bytes)
    : refuse(value, type, 'write bytes in base64');
}

function toDay(value: unknown, type: DuckDBType): number {
  const days = parseDay(textOf(value));
  return days === undefined ? refuse(value, type, 'write a date such as "2026-03-10"') : days;
}

function wholeCount(nanoseconds: bigint, unit: bigint, value: unknown, type: DuckDBType): bigint {
  if (nanoseconds % unit !== 0n) return refuse(value, type, 'it has more digits of a second than the column keeps');
  const count = nanoseconds / unit;
  return BigInt.asIntN(64, count) === count ? count : refuse(value, type, 'it is out of range');
}

function refuse(value: unknown, type: DuckDBType, fix: string): never {
  const shown = typeof value === 'bigint' ? String(value) : JSON.stringify(value)?.slice(0, 60);
  throw new FeatureStoreError('INVALID_ARGUMENT', `${shown ?? typeof value} is no ${type}: ${fix}`);
}
