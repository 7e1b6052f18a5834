/** Buckets on disk: read one after another into the same memory, whole or refused. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { columnFromValues } from '../../../src/arrow/build.ts';
import type { Column } from '../../../src/arrow/column.ts';
import { readValues } from '../../../src/arrow/read-value.ts';
import { field } from '../../../src/arrow/schema.ts';
import { createBucket } from '../../../src/offline/projection/bucket.ts';
import { createBucketReader, openBuckets } from '../../../src/offline/projection/bucket-file.ts';
import type { ViewDocument } from '../../../src/registry/document.ts';

const int64 = { id: 'int', bits: 64, signed: true } as const;
const item = field('item', { id: 'utf8' });
const schema = {
  fields: [field('k0', { id: 'utf8' }), field('event', int64), field('f0', int64), field('f1', { id: 'list' }, [item])],
  metadata: new Map(),
};
const view = { keys: [{ name: 'key', type: 'string', column: 'key' }], features: [{}, {}] } as unknown as ViewDocument;
let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'buckets-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Rows of one key, whose values are told by `from` on; null at every third. */
function columnsOf(from: number, rows: number): Column[] {
  const numbers = Array.from({ length: rows }, (_, row) => from + row);
  const values = [
    numbers.map(() => 'one'),
    numbers.map(BigInt),
    numbers.map((number) => (number % 3 === 0 ? null : BigInt(number))),
    numbers.map((number) => (number % 3 === 0 ? null : [`text ${number}`, null])),
  ];
  return schema.fields.map((each, at) => columnFromValues(each, values[at] as unknown[]));
}

async function writeBuckets(...buckets: readonly (readonly Column[])[][]) {
  const files = await openBuckets(root, buckets.length, schema);
  for (const [index, parts] of buckets.entries()) for (const part of parts) await files[index]?.write(part);
  const written = await Promise.all(files.map((file) => file.finish()));
  await Promise.all(files.map((file) => file.close()));
  return written;
}

describe('a reader of buckets', () => {
  test('gives each its own values, though their files pass through the same memory', async () => {
    const written = await writeBuckets([columnsOf(0, 40)], [columnsOf(100, 10), columnsOf(110, 30)], []);
    const read = createBucketReader();
    const load = (index: number) =>
      read(join(root, `${index}.arrows`), schema, written[index] as (typeof written)[0], (parts) => createBucket(view, parts));
    const buckets = await Promise.all([0, 1, 2].map(load));
    for (const [index, from] of [0, 100].entries()) {
      const rows = Int32Array.from({ length: 40 }, (_, row) => row);
      const taken = buckets[index]?.take([0, 1], rows) as Column[];
      expect(taken.map(readValues)).toEqual(columnsOf(from, 40).slice(2).map(readValues));
      expect(buckets[index]?.event[2 * 39]).toBe(from + 39);
      expect(buckets[index]?.index.starts).toEqual(Int32Array.of(0, 40));
    }
    expect(buckets[2]?.rows).toBe(0);
  });

  test('refuses a damaged file, and reads the next one', async () => {
    const written = await writeBuckets([columnsOf(0, 5)], [columnsOf(0, 7)]);
    writeFileSync(join(root, '0.arrows'), Buffer.alloc(written[0]?.bytes ?? 0));
    const read = createBucketReader();
    const rows = (index: number) =>
      read(
        join(root, `${index}.arrows`),
        schema,
        written[index] as (typeof written)[0],
        (parts) => createBucket(view, parts).rows,
      );
    const damaged = rows(0);
    const whole = rows(1);
    await expect(damaged).rejects.toMatchObject({ code: 'DATA_LOSS' });
    expect(await whole).toBe(7);
  });
});
