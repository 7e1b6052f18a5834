/** Values of a request that transforms read, as plain values of their types. */
import { parseDay } from '../../definitions/day.ts';
import { encodeLiteral, type LiteralValue, parseInstantUs } from '../../definitions/literal.ts';
import { formatValueType, type ValueType } from '../../definitions/value-type.ts';
import { FeatureStoreError } from '../../errors.ts';
import { decodeBase64, readFloatName, readIntegerText } from './json.ts';

/** Reads one value of a column; INVALID_ARGUMENT names the column and the row of a value that is none of the type. */
export function requestValueReader(
  column: string,
  type: ValueType,
  isJson: boolean,
): (value: unknown, row: number) => LiteralValue {
  const read = readerOf(type, isJson);
  return (value, row) => {
    if (value === null || value === undefined) return null;
    const plain = read(value);
    if (plain !== undefined) return plain;
    const text = formatValueType(type);
    throw new FeatureStoreError(
      'INVALID_ARGUMENT',
      `request value "${column}" is ${text}, and what it holds in row ${row} is not${hints[type.kind] ?? ''}`,
      { details: { column, row, wanted: text } },
    );
  };
}

const hints: Partial<Record<ValueType['kind'], string>> = {
  timestamp: '; write an ISO instant with an offset, such as 2026-03-10T12:00:00Z (in JSON), or microseconds as a bigint',
  date: '; write a date such as 2026-03-10',
  decimal: '; write a number as text, such as "12.50"',
  bytes: '; write base64 (in JSON), or a Uint8Array',
};

/** undefined for a value that is none of the type. */
type ReadValue = (value: unknown) => LiteralValue | undefined;

function readerOf(type: ValueType, isJson: boolean): ReadValue {
  switch (type.kind) {
    case 'bool':
      return (value) => (typeof value === 'boolean' ? value : undefined);
    case 'int32':
      return (value) => {
        const integer = readInteger(value, 32, isJson);
        return integer === undefined ? undefined : Number(integer);
      };
    case 'int64':
      return (value) => readInteger(value, 64, isJson);
    case 'float32':
      return (value) => {
        const float = readFloat(value, isJson);
        const rounded = float === undefined ? undefined : Math.fround(float);
        return Number.isFinite(float) && !Number.isFinite(rounded) ? undefined : rounded;
      };
    case 'float64':
      return (value) => readFloat(value, isJson);
    case 'string':
      return (value) => (typeof value === 'string' && !/\p{Surrogate}/u.test(value) ? value : undefined);
    case 'bytes':
      return (value) => (isJson && typeof value === 'string' ? decodeBase64(value) : readBytes(value));
    case 'timestamp':
      return (value) => (isJson && typeof value === 'string' ? readInstant(value) : readMicros(value));
    case 'date':
      return (value) => (typeof value === 'string' && parseDay(value) !== undefined ? value : undefined);
    case 'decimal':
      return (value) => attempt(() => encodeLiteral(type, value) as string);
    case 'list':
      return listReader(readerOf(type.element, isJson));
    case 'vector': {
      const readList = listReader(readerOf({ kind: type.element }, isJson));
      return (value) => (Array.isArray(value) && value.length === type.length ? readList(value) : undefined);
    }
  }
}

function listReader(readElement: ReadValue): ReadValue {
  return (value) => {
    if (!Array.isArray(value)) return undefined;
    const items: LiteralValue[] = [];
    for (const item of value) {
      const plain = item === null ? null : readElement(item);
      if (plain === undefined) return undefined;
      items.push(plain);
    }
    return items;
  };
}

function readInteger(value: unknown, bits: 32 | 64, isJson: boolean): bigint | undefined {
  const integer =
    typeof value === 'bigint'
      ? value
      : Number.isSafeInteger(value)
        ? BigInt(value as number)
        : isJson && typeof value === 'string'
          ? readIntegerText(value)
          : undefined;
  return integer !== undefined && BigInt.asIntN(bits, integer) === integer ? integer : undefined;
}

/** An integer that JSON brought as a bigint is a float like any other; it is rounded as its digits would be. */
function readFloat(value: unknown, isJson: boolean): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return isJson ? Number(value) : undefined;
  return isJson && typeof value === 'string' ? readFloatName(value) : undefined;
}

function readBytes(value: unknown): Uint8Array | undefined {
  return value instanceof Uint8Array ? value : undefined;
}

function readMicros(value: unknown): bigint | undefined {
  return typeof value === 'bigint' && BigInt.asIntN(64, value) === value ? value : undefined;
}

function readInstant(text: string): bigint | undefined {
  return attempt(() => parseInstantUs(text));
}

/** undefined where a text is refused. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof FeatureStoreError) return undefined;
    throw error;
  }
}
