/** Values of a request as keys, converted by value where every value fits (rule 2.2). */
import type { LiteralValue } from '../../definitions/literal.ts';
import type { KeyType } from '../../definitions/value-type.ts';
import { FeatureStoreError } from '../../errors.ts';
import { decodeBase64, readIntegerText } from './json.ts';

export interface KeyColumnPlace {
  readonly joinKey: string;
  readonly column: string;
  readonly isJson: boolean;
}

/** null stays null, and NaN among numbers is null; INVALID_ARGUMENT names the first value that is no key of the type, and its row. */
export function readKeyValues(values: readonly unknown[], type: KeyType, place: KeyColumnPlace): readonly LiteralValue[] {
  const read = readers[type];
  return values.map((value, row) => {
    if (value === null || value === undefined) return null;
    const key = read(value, place.isJson);
    if (key === undefined) throw refuseValue(value, row, type, place);
    return key;
  });
}

/** undefined for a value that is no key of the type. */
type ReadKey = (value: unknown, isJson: boolean) => LiteralValue | undefined;

const readers: Record<KeyType, ReadKey> = {
  int32: (value, isJson) => {
    const integer = readInteger(value, isJson, 32);
    return typeof integer === 'bigint' ? Number(integer) : integer;
  },
  int64: (value, isJson) => readInteger(value, isJson, 64),
  bool: (value) => (typeof value === 'boolean' ? value : undefined),
  string: (value) => (typeof value === 'string' && !/\p{Surrogate}/u.test(value) ? value : undefined),
  bytes: (value, isJson) => {
    if (value instanceof Uint8Array) return value;
    return isJson && typeof value === 'string' ? decodeBase64(value) : undefined;
  },
};

function readInteger(value: unknown, isJson: boolean, bits: 32 | 64): bigint | null | undefined {
  let integer: bigint | undefined;
  if (typeof value === 'bigint') integer = value;
  else if (typeof value === 'number') {
    if (Number.isNaN(value)) return null;
    if (!Number.isSafeInteger(value)) return undefined;
    integer = BigInt(value);
  } else if (isJson && typeof value === 'string') integer = readIntegerText(value);
  return integer === undefined || BigInt.asIntN(bits, integer) !== integer ? undefined : integer;
}

function refuseValue(value: unknown, row: number, type: KeyType, { joinKey, column }: KeyColumnPlace): FeatureStoreError {
  const isInexact = typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value);
  const fix = isInexact ? 'a number above 2^53 is not exact: send a bigint or, in JSON, its digits' : `send values of ${type}`;
  return new FeatureStoreError(
    'INVALID_ARGUMENT',
    `join key "${joinKey}" is ${type}, but column "${column}" holds ${showValue(value)} in row ${row}, which no ${type} is equal to; ${fix}`,
    { details: { joinKey, column, row, wanted: type } },
  );
}

/** A value as a message shows it: short, and with its type told by its form. */
function showValue(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : String(value);
}
