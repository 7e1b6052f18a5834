/** What a transform may answer for a feature, by the feature's type: one reader a type, made once. */
import { types } from 'node:util';
import { formatDay, parseDay } from '../definitions/day.ts';
import { encodeLiteral, type LiteralValue } from '../definitions/literal.ts';
import { formatValueType, type ValueType } from '../definitions/value-type.ts';
import { FeatureStoreError } from '../errors.ts';

/** Reads a value that is not null as the plain value of its type; INVALID_ARGUMENT says why it is none. */
export type ReadResult = (value: unknown) => LiteralValue;

export function resultReader(type: ValueType): ReadResult {
  switch (type.kind) {
    case 'bool':
      return (value) => (typeof value === 'boolean' ? value : refuse(type, value, 'answer true or false'));
    case 'int32':
      return (value) => Number(readInteger(type, value, 32));
    case 'int64':
      return (value) => readInteger(type, value, 64);
    case 'timestamp':
      return (value) =>
        typeof value === 'bigint' ? readInteger(type, value, 64) : refuse(type, value, 'answer microseconds as a bigint');
    case 'float32':
      return (value) => readFloat32(type, value);
    case 'float64':
      return (value) => readFloat(type, value);
    case 'string':
      return (value) => readText(type, value);
    case 'bytes':
      return (value) => (types.isUint8Array(value) ? new Uint8Array(value) : refuse(type, value, 'answer a Uint8Array'));
    case 'date':
      return (value) => readDate(type, value);
    case 'decimal':
      return (value) => encodeLiteral(type, value) as string;
    case 'list':
      return listReader(type, resultReader(type.element));
    case 'vector':
      return vectorReader(type, resultReader({ kind: type.element }));
  }
}

/** A value as errors show it, cut where it is long. */
export function describeResult(value: unknown): string {
  if (typeof value === 'string') return shorten(JSON.stringify(value));
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object' || value === null) return String(value);
  if (types.isPromise(value)) return 'a promise';
  if (Array.isArray(value)) return `an array of ${value.length}`;
  const name: unknown = value.constructor?.name;
  return typeof name === 'string' && name !== 'Object' ? `a ${name}` : 'an object';
}

function shorten(text: string): string {
  return text.length <= 80 ? text : `${text.slice(0, 77)}…"`;
}

function readInteger(type: ValueType, value: unknown, bits: 32 | 64): bigint {
  if (typeof value === 'number' && Number.isNaN(value)) return refuseNan(type);
  if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value))
    return refuse(type, value, 'a number above 2^53 is not exact: answer a bigint');
  if (typeof value !== 'bigint' && !Number.isSafeInteger(value)) return refuse(type, value, 'answer a whole number');
  const integer = BigInt(value as bigint | number);
  return BigInt.asIntN(bits, integer) === integer ? integer : refuse(type, value, `it does not fit ${bits} bits`);
}

function readFloat(type: ValueType, value: unknown): number {
  if (typeof value !== 'number') return refuse(type, value, 'answer a number');
  return Number.isNaN(value) ? refuseNan(type) : value;
}

/** Rounded here, so that both paths have the same value. */
function readFloat32(type: ValueType, value: unknown): number {
  const read = readFloat(type, value);
  const rounded = Math.fround(read);
  return Number.isFinite(rounded) || !Number.isFinite(read) ? rounded : refuse(type, value, 'it is larger than any float32');
}

function readText(type: ValueType, value: unknown): string {
  if (typeof value !== 'string') return refuse(type, value, 'answer a string');
  return /\p{Surrogate}/u.test(value) ? refuse(type, value, 'it holds half a surrogate pair, which is no text') : value;
}

function readDate(type: ValueType, value: unknown): string {
  const days = typeof value === 'string' ? parseDay(value) : undefined;
  if (days === undefined || days !== (days | 0)) return refuse(type, value, 'answer a date such as "2026-03-10"');
  return formatDay(days);
}

function listReader(type: ValueType, readElement: ReadResult): ReadResult {
  return (value) => {
    if (!Array.isArray(value)) return refuse(type, value, 'answer an array');
    return Array.from(value, (item: unknown) => (item === null ? null : readElement(item)));
  };
}

function vectorReader(type: Extract<ValueType, { kind: 'vector' }>, readElement: ReadResult): ReadResult {
  return (value) => {
    const isArray = Array.isArray(value) || types.isFloat32Array(value) || types.isFloat64Array(value);
    if (!isArray || value.length !== type.length) return refuse(type, value, `answer an array of ${type.length} numbers`);
    return Array.from(value as ArrayLike<unknown>, readElement);
  };
}

function refuseNan(type: ValueType): never {
  return refuse(type, Number.NaN, 'answer null where there is no value');
}

function refuse(type: ValueType, value: unknown, fix: string): never {
  throw new FeatureStoreError('INVALID_ARGUMENT', `${describeResult(value)} is no ${formatValueType(type)}: ${fix}`);
}
