/** Values as formats give them as plain values of a declared type: the reader is chosen once a column. */
import { parseDay } from '../../definitions/day.ts';
import { encodeLiteral, type LiteralValue } from '../../definitions/literal.ts';
import { formatValueType, type ValueType } from '../../definitions/value-type.ts';
import { parseJson } from '../../json/parse-json.ts';
import type { ReadTime } from './read-time.ts';
import { Refusal, refusalOf, refuse } from './refusal.ts';

/** Of a value that is neither null nor undefined. */
export type ReadValue = (value: unknown) => LiteralValue | Refusal;

/** `time` reads timestamps, by the source's zone. */
export function compileReadValue(type: ValueType, time: ReadTime): ReadValue {
  switch (type.kind) {
    case 'bool':
      return (value) => (typeof value === 'boolean' ? value : refuse(value, 'bool', 'write true or false'));
    case 'int32':
      return readInt32;
    case 'int64':
      return readInt64;
    case 'float32':
      return readFloat32;
    case 'float64':
      return readFloat64;
    case 'string':
      return readString;
    case 'bytes':
      return readBytes;
    case 'timestamp':
      return time;
    case 'date':
      return readDate;
    case 'decimal':
      return decimalReader(type);
    case 'list':
      return listReader(type.element, time);
    case 'vector':
      return vectorReader(type);
  }
}

/** The same for text alone, as logs have it whose values carry no types. */
export function compileReadText(type: ValueType, time: ReadTime): ReadValue {
  const read = compileReadValue(type, time);
  switch (type.kind) {
    case 'bool':
      return (value) => read(value === 'true' ? true : value === 'false' ? false : value);
    case 'float32':
    case 'float64':
      return (value) => read(isNumberText(value) ? Number(value) : value);
    case 'list':
    case 'vector':
      return (value) => {
        try {
          return read(typeof value === 'string' ? parseJson(Buffer.from(value), maxDepth, 'the text') : value);
        } catch (error) {
          return refusalOf(error);
        }
      };
    default:
      return read;
  }
}

const maxDepth = 16;
const wholeNumber = /^-?\d{1,20}$/;

function isNumberText(value: unknown): boolean {
  return typeof value === 'string' && /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(value);
}

function readInt32(value: unknown): LiteralValue | Refusal {
  if (typeof value === 'number' && (value | 0) === value) return value === 0 ? 0 : value;
  const integer = toInteger(value);
  if (integer === undefined) return refuse(value, 'int32', 'write a whole number');
  return BigInt.asIntN(32, integer) === integer ? Number(integer) : refuse(value, 'int32', 'it does not fit 32 bits');
}

function readInt64(value: unknown): LiteralValue | Refusal {
  const integer = toInteger(value);
  if (integer === undefined) return refuse(value, 'int64', 'write a whole number');
  return BigInt.asIntN(64, integer) === integer ? integer : refuse(value, 'int64', 'it does not fit 64 bits');
}

/** Also of text, as integers are written that a double would round. */
function toInteger(value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  return typeof value === 'string' && wholeNumber.test(value) ? BigInt(value) : undefined;
}

function readFloat64(value: unknown): LiteralValue | Refusal {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return Number(value);
  return refuse(value, 'float64', 'write a number, or "NaN", "Infinity", "-Infinity"');
}

function readFloat32(value: unknown): LiteralValue | Refusal {
  const number = readFloat64(value);
  if (number instanceof Refusal) return refuse(value, 'float32', 'write a number, or "NaN", "Infinity", "-Infinity"');
  const rounded = Math.fround(number as number);
  const isLost = Number.isFinite(number) && !Number.isFinite(rounded);
  return isLost ? refuse(value, 'float32', 'it is larger than any float32') : rounded;
}

const halfPair = /\p{Surrogate}/u;

function readString(value: unknown): LiteralValue | Refusal {
  if (typeof value !== 'string') return refuse(value, 'string', 'write text');
  return halfPair.test(value) ? refuse(value, 'string', 'it holds half a surrogate pair, which is no text') : value;
}

function readBytes(value: unknown): LiteralValue | Refusal {
  if (value instanceof Uint8Array) return value;
  if (typeof value !== 'string') return refuse(value, 'bytes', 'write bytes in base64');
  const bytes = Buffer.from(value, 'base64');
  const isWhole = bytes.toString('base64').replaceAll('=', '') === value.replaceAll('=', '');
  return isWhole ? new Uint8Array(bytes) : refuse(value, 'bytes', 'write bytes in base64');
}

function readDate(value: unknown): LiteralValue | Refusal {
  const isDate = typeof value === 'string' && value.length === 10 && parseDay(value) !== undefined;
  return isDate ? value : refuse(value, 'date', 'write a date such as "2026-03-10"');
}

/** Of more digits than these a number of JSON may have been rounded before anybody looked. */
const exactDigits = 15;

function decimalReader(type: Extract<ValueType, { kind: 'decimal' }>): ReadValue {
  const name = formatValueType(type);
  return (value) => {
    const digits = typeof value === 'number' ? String(value).replace(/[-.]|e.*$/g, '').length : 0;
    const isExact = digits <= exactDigits || Number.isSafeInteger(value);
    if (!isExact) return refuse(value, name, 'a number of so many digits is not exact; write it as text');
    try {
      return encodeLiteral(type, value) as string;
    } catch (error) {
      const { reason } = refusalOf(error);
      return refuse(value, name, reason.slice(reason.indexOf(`${name}: `) + name.length + 2));
    }
  };
}

function listReader(element: ValueType, time: ReadTime): ReadValue {
  const read = compileReadValue(element, time);
  return (value) => {
    if (!Array.isArray(value)) return refuse(value, `list(${formatValueType(element)})`, 'write an array');
    return readItems(value, (item) => (item === null || item === undefined ? null : read(item)));
  };
}

function vectorReader({ element, length }: Extract<ValueType, { kind: 'vector' }>): ReadValue {
  const read = element === 'float32' ? readFloat32 : readFloat64;
  return (value) => {
    const isVector = Array.isArray(value) && value.length === length;
    return isVector
      ? readItems(value, read)
      : refuse(value, `vector(${element},${length})`, `write an array of ${length} numbers`);
  };
}

function readItems(items: readonly unknown[], read: ReadValue): LiteralValue | Refusal {
  const values: LiteralValue[] = [];
  for (const item of items) {
    const value = read(item);
    if (value instanceof Refusal) return new Refusal(`item ${values.length}: ${value.reason}`);
    values.push(value);
  }
  return values;
}
