/** The join keys of one entity as people and programs name them, as values. */
import type { LiteralValue } from '../definitions/literal.ts';
import type { KeyType } from '../definitions/value-type.ts';
import { FeatureStoreError } from '../errors.ts';
import type { EntityDocument } from '../registry/document.ts';

/** INVALID_ARGUMENT where a join key is missing, unknown, or no value of its type; text is read as the type's own form. */
export function readEntityKeys({ name, joinKeys }: EntityDocument, keys: Readonly<Record<string, unknown>>): LiteralValue[] {
  const names = joinKeys.map((key) => key.name);
  if (Object.keys(keys).length !== names.length || !names.every((key) => Object.hasOwn(keys, key))) {
    throw new FeatureStoreError('INVALID_ARGUMENT', `entity "${name}" has the join keys ${names.join(', ')}: give each once`, {
      details: { entity: name, join_keys: names },
    });
  }
  return joinKeys.map((key) => {
    const value = readers[key.type](keys[key.name]);
    if (value !== undefined) return value;
    const message = `join key "${key.name}" is ${key.type}, and what was given is none: write ${forms[key.type]}`;
    throw new FeatureStoreError('INVALID_ARGUMENT', message, { details: { entity: name, join_key: key.name, type: key.type } });
  });
}

const forms: Readonly<Record<KeyType, string>> = {
  int32: 'a whole number',
  int64: 'a whole number, above 2^53 as text',
  bool: 'true or false',
  string: 'text',
  bytes: 'base64',
};

/** undefined for what is no value of the type. */
const readers: Readonly<Record<KeyType, (value: unknown) => LiteralValue | undefined>> = {
  int32: (value) => readInteger(value, 32),
  int64: (value) => readInteger(value, 64),
  bool: (value) => (value === true || value === 'true' ? true : value === false || value === 'false' ? false : undefined),
  string: (value) => (typeof value === 'string' && !/\p{Surrogate}/u.test(value) ? value : undefined),
  bytes: (value) => {
    if (value instanceof Uint8Array) return value;
    const isBase64 = typeof value === 'string' && value.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(value);
    return isBase64 ? new Uint8Array(Buffer.from(value, 'base64')) : undefined;
  },
};

function readInteger(value: unknown, bits: 32 | 64): bigint | undefined {
  const isWhole =
    typeof value === 'bigint' || Number.isSafeInteger(value) || (typeof value === 'string' && /^-?\d{1,19}$/.test(value));
  if (!isWhole) return undefined;
  const integer = BigInt(value as bigint | number | string);
  return BigInt.asIntN(bits, integer) === integer ? integer : undefined;
}
