/** Every type of the format to and from pyarrow, as files and streams, plain and compressed, whole and sliced. */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Column } from '../../src/arrow/column.ts';
import type { Compression } from '../../src/arrow/compression.ts';
import { concatColumns } from '../../src/arrow/concat.ts';
import type { Dictionaries } from '../../src/arrow/dictionaries.ts';
import { openArrowBytes, openArrowFile } from '../../src/arrow/file-reader.ts';
import { createArrowFile } from '../../src/arrow/file-writer.ts';
import { decodeDictionaryColumn, toBinary, toUtf8 } from '../../src/arrow/plain.ts';
import { readValues } from '../../src/arrow/read-value.ts';
import type { RecordBatch } from '../../src/arrow/record-batch.ts';
import { formatType } from '../../src/arrow/schema.ts';
import { sliceColumn } from '../../src/arrow/slice.ts';

const run = promisify(execFile);
const python = join(import.meta.dirname, '../../.venv/bin/python');
const script = join(import.meta.dirname, 'pyarrow_types.py');
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pyarrow-types-'));
  await run(python, [script, 'make', folder]);
}, 60_000);
afterAll(() => rm(folder, { recursive: true }));

type Rewrite = (batch: RecordBatch) => RecordBatch;
const inPieces: Rewrite = (batch) => {
  const cuts = [0, Math.min(5, batch.length), Math.floor(batch.length / 2), batch.length].sort((a, b) => a - b);
  const pieces = (column: Column) => cuts.slice(1).map((end, i) => sliceColumn(column, cuts[i] as number, end));
  return { ...batch, columns: batch.columns.map((column) => concatColumns(pieces(column))) };
};

async function rewrite(
  name: string,
  to: string,
  compression: Compression | undefined,
  change: Rewrite = (batch) => batch,
): Promise<void> {
  const reader = await openArrowFile(join(folder, name));
  const format = to.includes('-file-') ? 'file' : 'stream';
  const writer = await createArrowFile(join(folder, to), reader.schema, { format, compression });
  try {
    let written: Dictionaries = new Map();
    for await (const { batch, dictionaries } of reader.batches()) {
      for (const [id, values] of dictionaries) {
        if (written.get(id) !== values) await writer.writeDictionary({ id, values, isDelta: false });
      }
      written = dictionaries;
      await writer.write(change(batch));
    }
    await writer.finish();
  } finally {
    await Promise.all([reader.close(), writer.close()]);
  }
}

test('what pyarrow writes comes back equal, types and metadata to the byte', async () => {
  const names = (await readdir(folder)).filter((name) => !name.startsWith('back-'));
  expect(names.length).toBe(6);
  for (const name of names) {
    await rewrite(name, `back-stream-plain-from-${name}`, undefined);
    await rewrite(name, `back-stream-pieces-from-${name}`, undefined, inPieces);
  }
  for (const compression of [undefined, 'lz4', 'zstd'] as const) {
    await rewrite('file-None.arrow', `back-file-${compression}-from-file.arrow`, compression);
    await rewrite('stream-None.arrow', `back-stream-${compression}-from-stream.arrow`, compression);
  }
  const { stdout } = await run(python, [script, 'compare', folder]);
  expect(Number(stdout)).toBe(18);
}, 60_000);

test('encoded columns become plain ones', async () => {
  const reader = await openArrowFile(join(folder, 'stream-zstd.arrow'));
  for await (const { batch, dictionaries } of reader.batches()) {
    const named = (name: string) => batch.columns.find((column) => column.field.name === name) as Column;
    const texts = readValues(named('string'));
    expect(readValues(toUtf8(named('large_string')))).toEqual(readValues(named('large_string')));
    expect(readValues(toUtf8(named('string_view')))).toEqual(readValues(named('string_view')));
    for (const name of ['large_binary', 'binary_view', 'fixed_size_binary']) {
      const plain = toBinary(named(name));
      expect(formatType(plain.field)).toBe('binary');
      expect(readValues(plain)).toEqual(readValues(named(name)));
    }
    for (const column of batch.columns.filter(({ field }) => field.dictionary)) {
      const values = dictionaries.get(column.field.dictionary?.id as bigint) as Column;
      const plain = decodeDictionaryColumn(column, values);
      expect(formatType(plain.field)).toBe('utf8');
      expect(readValues(plain).length).toBe(texts.length);
      const known = ['low', null, 'a rather high category'];
      const first = known.indexOf(readValues(plain)[0] as string);
      readValues(plain).forEach((value, i) => {
        expect(value).toBe(known[(first + i) % 3]);
      });
    }
    expect(() => toUtf8(named('int8'))).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  }
  await reader.close();
});

test('a file or stream that is cut short anywhere is refused, never read as a shorter one', async () => {
  for (const name of ['file-None.arrow', 'stream-lz4.arrow']) {
    const whole = new Uint8Array(await readFile(join(folder, name)));
    for (let cut = 1; cut < whole.length; cut += Math.ceil(whole.length / 97)) {
      await expect(readAll(whole.subarray(0, whole.length - cut)), `${name} without ${cut} bytes`).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
      });
    }
  }
  const path = join(folder, 'not-arrow');
  await writeFile(path, 'timestamp,user_id\n2026-01-01,1\n');
  await expect(openArrowFile(path)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
});

async function readAll(bytes: Uint8Array): Promise<number> {
  let rows = 0;
  for await (const { batch } of (await openArrowBytes(bytes)).batches()) rows += batch.length;
  return rows;
}
