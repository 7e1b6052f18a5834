/** Things that are pushed and erased in tests of the archive: keys of every type, and a naive account of who is erased. */
import { createHash } from 'node:crypto';
import type { ErasedRows, ErasedValue } from '../../../src/offline/archive/erased.ts';
import type { PushedRows } from '../../../src/offline/archive/writer.ts';
import type { SourceDocument } from '../../../src/registry/document.ts';

export interface Thing {
  readonly id: number;
  readonly who: bigint | null;
  readonly name: string | null;
  readonly raw: Uint8Array | null;
  readonly flag: boolean | null;
}

/** Values of some columns: whoever has all of them. */
export type Erased = Partial<Omit<Thing, 'id'>>;

export const things: SourceDocument = {
  ...{ name: 'things', kind: 'batch', tags: {}, file: 'features/things.ts', push: true },
  table: { format: 'parquet', paths: ['own/*.parquet'], hivePartitioning: false, options: {} },
  eventTimestamp: 'at',
  columns: [
    { name: 'id', type: 'INTEGER' },
    { name: 'who', type: 'BIGINT' },
    { name: 'name', type: 'VARCHAR' },
    { name: 'raw', type: 'BLOB' },
    { name: 'flag', type: 'BOOLEAN' },
    { name: 'at', type: 'TIMESTAMP WITH TIME ZONE' },
  ],
};

export function columnsOf(rows: readonly Thing[]): PushedRows {
  return {
    id: rows.map(({ id }) => id),
    who: rows.map(({ who }) => who),
    name: rows.map(({ name }) => name),
    raw: rows.map(({ raw }) => raw),
    flag: rows.map(({ flag }) => flag),
    at: rows.map(() => '2026-03-10T12:00:00Z'),
  };
}

export function isErased(thing: Thing, erased: readonly Erased[]): boolean {
  return erased.some((one) =>
    Object.entries(one).every(([column, value]) => {
      const own = thing[column as keyof Erased];
      if (value instanceof Uint8Array) return own instanceof Uint8Array && Buffer.compare(own, value) === 0;
      return own === value;
    }),
  );
}

/** The same as the archive is told it: text and bytes above 64 bytes by their digest. */
export function erasedRows(erased: Erased): ErasedRows {
  return Object.entries(erased).map(([column, value]) => ({
    column,
    value: asErased(value as NonNullable<Thing['who' | 'name']>),
  }));
}

function asErased(value: bigint | string | boolean | Uint8Array): ErasedValue {
  if (typeof value === 'bigint') return { kind: 'integer', value };
  if (typeof value === 'boolean') return { kind: 'bool', value };
  const bytes = Buffer.from(value as Uint8Array);
  const digest = () => createHash('sha256').update(bytes).digest('hex');
  if (typeof value === 'string') return bytes.length > 64 ? { kind: 'stringDigest', value: digest() } : { kind: 'string', value };
  return bytes.length > 64 ? { kind: 'bytesDigest', value: digest() } : { kind: 'bytes', value };
}
