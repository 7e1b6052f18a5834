/** Keys for tests: plain tuples beside the compact form that the engine makes of them. */
import fc from 'fast-check';
import { columnFromValues } from '../../../src/arrow/build.ts';
import { type ArrowType, field } from '../../../src/arrow/schema.ts';
import type { KeyType } from '../../../src/definitions/value-type.ts';
import { readKeys } from '../../../src/offline/frame/read-keys.ts';
import type { Keys } from '../../../src/offline/projection/keys.ts';

export interface PlainKeys {
  readonly types: readonly KeyType[];
  readonly rows: readonly (readonly unknown[])[];
}

/** Few distinct values a type, so that keys meet. */
const pools: Record<KeyType, readonly unknown[]> = {
  int32: [0n, 1n, -1n, 2n ** 31n - 1n],
  int64: [0n, 1n, 2n ** 32n, -(2n ** 63n), 2n ** 53n, 2n ** 53n + 1n],
  string: ['', 'a', 'a ', 'A', 'é', 'e\u0301', '1', 'ab'],
  bool: [true, false],
  bytes: [new Uint8Array(0), new Uint8Array([0]), new Uint8Array([0, 0]), new Uint8Array([97, 98])],
};

/** Zero to three key columns of any types, null here and there. */
export const plainKeys: fc.Arbitrary<PlainKeys> = fc
  .array(fc.constantFrom<KeyType>('int64', 'string', 'int32', 'bool', 'bytes'), { maxLength: 3 })
  .chain((types) => {
    const row = fc.tuple(...types.map((type) => fc.option(fc.constantFrom(...pools[type]), { nil: null, freq: 6 })));
    return fc.array(row, { maxLength: 40 }).map((rows) => ({ types, rows }));
  });

const int64: ArrowType = { id: 'int', bits: 64, signed: true };
const arrowTypes: Record<KeyType, ArrowType> = {
  int32: int64,
  int64,
  string: { id: 'utf8' },
  bool: { id: 'bool' },
  bytes: { id: 'binary' },
};

/** The same keys as the engine holds them. */
export function compactKeys({ types, rows }: PlainKeys): Keys {
  const columns = types.map((type, at) => {
    return columnFromValues(
      field(`k${at}`, arrowTypes[type]),
      rows.map((row) => row[at]),
    );
  });
  const places = types.map((_, at) => ({ joinKey: `k${at}`, column: `k${at}`, firstRow: 0 }));
  return readKeys(columns, types, places, rows.length);
}

/** A text that two keys share exactly where they are equal. */
export function identityOf(row: readonly unknown[]): string {
  return JSON.stringify(
    row.map((value) => (value instanceof Uint8Array ? [...value] : typeof value === 'bigint' ? `${value}n` : value)),
  );
}
