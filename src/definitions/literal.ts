/** Literal values of features, as definitions write them, in a form that JSON keeps without loss. */
import { Temporal } from 'temporal-polyfill';
import { FeatureStoreError } from '../errors.ts';
import { formatInstantUs } from './format-instant.ts';
import { formatValueType, type ValueType } from './value-type.ts';

export { formatInstantUs };

/** A decoded literal: int64 and timestamp (microseconds) bigint, decimal and date text, bytes Uint8Array, lists arrays. */
export type LiteralValue = null | boolean | number | bigint | string | Uint8Array | readonly LiteralValue[];

type JsonValue = null | boolean | number | string | readonly JsonValue[];

/**
 * The JSON form of a value: int64 and decimal as text, bytes base64, timestamp `2026-03-10T12:00:00.000000Z`, date `2026-03-10`, NaN and
 * infinities by name, lists as arrays. INVALID_ARGUMENT where the value is not of the type or would lose a part of itself.
 */
export function encodeLiteral(type: ValueType, value: unknown): JsonValue {
  switch (type.kind) {
    case 'bool':
      return typeof value === 'boolean' ? value : refuse(type, value, 'write true or false');
    case 'int32':
      return Number(encodeInteger(type, value, 32));
    case 'int64':
      return encodeInteger(type, value, 64);
    case 'float32':
    case 'float64':
      return encodeFloat(type, value);
    case 'string':
      return encodeText(type, value);
    case 'bytes':
      return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : refuse(type, value, 'write a Uint8Array');
    case 'timestamp':
      return encodeTimestamp(type, value);
    case 'date':
      return encodeDate(type, value);
    case 'decimal':
      return encodeDecimal(type, value);
    case 'list':
      if (!Array.isArray(value)) return refuse(type, value, 'write an array');
      return value.map((item) => (item === null ? null : encodeLiteral(type.element, item)));
    case 'vector':
      if (!Array.isArray(value) || value.length !== type.length)
        return refuse(type, value, `write an array of ${type.length} numbers`);
      return value.map((item) => encodeLiteral({ kind: type.element }, item));
  }
}

/** The inverse of encodeLiteral, from its own output only. */
export function decodeLiteral(type: ValueType, json: unknown): LiteralValue {
  if (json === null) return null;
  switch (type.kind) {
    case 'int64':
      return BigInt(json as string);
    case 'float32':
    case 'float64':
      return Number(json);
    case 'bytes':
      return new Uint8Array(Buffer.from(json as string, 'base64'));
    case 'timestamp':
      return parseInstantUs(json as string);
    case 'list':
      return (json as unknown[]).map((item) => decodeLiteral(type.element, item));
    case 'vector':
      return (json as unknown[]).map(Number);
    default:
      return json as boolean | number | string;
  }
}

/** Microseconds since the epoch of an ISO instant with an offset; INVALID_ARGUMENT without one, or for parts of a microsecond. */
export function parseInstantUs(text: string): bigint {
  const found = /^[+-]?\d{4,6}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.,](\d{1,9}))?)?(Z|[+-]\d\d(:?\d\d)?)$/i.exec(text);
  const ns = found === null ? undefined : readInstantNs(text);
  if (found === null || ns === undefined || ns % 1000n !== 0n) {
    throw new FeatureStoreError(
      'INVALID_ARGUMENT',
      `"${text}" is no instant: write it with an offset and at most six digits of a second, such as 2026-03-10T12:00:00.000001Z`,
      { details: { instant: text } },
    );
  }
  return ns / 1000n;
}

/** undefined for the impossible, such as the 30th of February. */
function readInstantNs(text: string): bigint | undefined {
  try {
    return Temporal.Instant.from(text).epochNanoseconds;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function encodeInteger(type: ValueType, value: unknown, bits: 32 | 64): string {
  const whole = typeof value === 'bigint' || Number.isSafeInteger(value);
  if (!whole) {
    const unsafe = typeof value === 'number' && Number.isInteger(value);
    return refuse(
      type,
      value,
      unsafe ? 'a number above 2^53 is not exact: write a bigint, such as 9007199254740993n' : 'write a whole number',
    );
  }
  const integer = BigInt(value as bigint | number);
  return BigInt.asIntN(bits, integer) === integer ? String(integer) : refuse(type, value, `it does not fit ${bits} bits`);
}

function encodeFloat(type: ValueType, value: unknown): number | string {
  if (typeof value !== 'number') return refuse(type, value, 'write a number');
  if (!Number.isFinite(value)) return String(value);
  if (Object.is(value, -0)) return '-0';
  const fits = type.kind === 'float64' || Number.isFinite(Math.fround(value));
  return fits ? value : refuse(type, value, 'it is larger than any float32');
}

function encodeText(type: ValueType, value: unknown): string {
  if (typeof value !== 'string') return refuse(type, value, 'write a string');
  return /\p{Surrogate}/u.test(value) ? refuse(type, value, 'it holds half a surrogate pair, which is no text') : value;
}

function encodeTimestamp(type: ValueType, value: unknown): string {
  if (typeof value !== 'string')
    return refuse(type, value, 'write an ISO instant with an offset, such as "2026-03-10T12:00:00Z"');
  return formatInstantUs(parseInstantUs(value));
}

function encodeDate(type: ValueType, value: unknown): string {
  const isDate = typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value) && readInstantNs(`${value}T00:00Z`) !== undefined;
  return isDate ? value : refuse(type, value, 'write a date such as "2026-03-10"');
}

/** Text with exactly `scale` digits after the point. */
function encodeDecimal(type: Extract<ValueType, { kind: 'decimal' }>, value: unknown): string {
  const text = typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint' ? String(value) : '';
  const found = /^(-?)0*(\d*?)(?:\.(\d*?)0*)?$/.exec(text);
  if (found === null || !/\d/.test(text)) return refuse(type, value, 'write a number as text, such as "12.50"');
  const [, sign, whole = '', fraction = ''] = found;
  if (fraction.length > type.scale) return refuse(type, value, `it has more than ${type.scale} digits after the point`);
  if (whole.length > type.precision - type.scale) {
    return refuse(type, value, `it has more than ${type.precision - type.scale} digits before the point`);
  }
  const digits = type.scale === 0 ? whole || '0' : `${whole || '0'}.${fraction.padEnd(type.scale, '0')}`;
  return /[1-9]/.test(digits) ? `${sign}${digits}` : digits;
}

function refuse(type: ValueType, value: unknown, fix: string): never {
  const shown =
    typeof value === 'bigint' ? `${value}n` : typeof value === 'string' ? JSON.stringify(value) : describeValue(value);
  throw new FeatureStoreError('INVALID_ARGUMENT', `${shown} is no ${formatValueType(type)}: ${fix}`, {
    details: { type: formatValueType(type) },
  });
}

function describeValue(value: unknown): string {
  if (value === null || typeof value !== 'object') return String(value);
  return Array.isArray(value) ? `an array of ${value.length}` : `a ${value.constructor?.name ?? 'object'}`;
}
