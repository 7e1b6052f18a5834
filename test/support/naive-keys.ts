/** Rules 2.2 and 2.3 as plain loops: join keys by value. */
import type { KeyType } from '../../src/definitions/value-type.ts';
import { NaiveRefusal } from './naive-instant.ts';

/** What a key column holds, as far as the rules tell columns apart. */
export type NaiveKeyColumn = 'integer' | 'float' | 'string' | 'bool' | 'bytes';

const ranges: Partial<Record<KeyType, readonly [bigint, bigint]>> = {
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
};

/** Keys as texts that are equal exactly where the keys are, null for a null key; NaiveRefusal where one value does not convert. */
export function convertKeysNaively(values: readonly unknown[], column: NaiveKeyColumn, type: KeyType): (string | null)[] {
  if (values.every((value) => value === null)) return values.map(() => null);
  const range = ranges[type];
  if (range === undefined) {
    if (column !== type) throw new NaiveRefusal(`a ${column} column is no ${type} key`);
    return values.map((value) => (value === null ? null : textOf(value)));
  }
  if (column !== 'integer' && column !== 'float') throw new NaiveRefusal(`a ${column} column is no ${type} key`);
  return values.map((value, row) => {
    if (value === null || Number.isNaN(value)) return null;
    const whole = column === 'integer' || (Number.isInteger(value) && Math.abs(value as number) < 2 ** 53);
    if (!whole) throw new NaiveRefusal(`row ${row}: ${value}`);
    const key = BigInt(value as number | bigint);
    if (key < range[0] || key > range[1]) throw new NaiveRefusal(`row ${row}: ${value}`);
    return String(key);
  });
}

function textOf(value: unknown): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : String(value);
}
