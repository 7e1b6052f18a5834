/** Ids that are looked for in files of an archive, also where their column had another type when these were written. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findIds } from '../../src/offline/archive/find-ids.ts';

const scratch = mkdtempSync(join(tmpdir(), 'find-ids-'));
let instance: DuckDBInstance;
let connection: DuckDBConnection;
beforeAll(async () => {
  instance = await DuckDBInstance.create(':memory:');
  connection = await instance.connect();
});
afterAll(() => {
  connection.closeSync();
  instance.closeSync();
  rmSync(scratch, { recursive: true, force: true });
});

async function write(name: string, select: string): Promise<string> {
  const path = join(scratch, `${name}.parquet`);
  await connection.run(`copy (${select}) to '${path}' (format parquet)`);
  return path;
}

const bytes = (text: string) => new Uint8Array(Buffer.from(text));

test('ids are found by value, nulls nowhere, and in files without the column none', async () => {
  const texts = await write('texts', `select unnest(['a', 'b''c', null]) as id`);
  const none = await write('none', 'select 1 as n');
  expect(await findIds(connection, [texts, none], 'id', ['a', null, "b'c", 'd'])).toEqual(new Set([0, 2]));
  expect(await findIds(connection, [none], 'id', ['a'])).toEqual(new Set());
  expect(await findIds(connection, [], 'id', ['a'])).toEqual(new Set());
  const blobs = await write('blobs', `select from_hex('00ff') as id`);
  expect(await findIds(connection, [blobs], 'id', [new Uint8Array([0, 255]), new Uint8Array([0])])).toEqual(new Set([0]));
});

test('a column whose type has changed since stops no stream: an id is what it is as the type that is declared now', async () => {
  const numbers = await write('numbers', 'select unnest([1::bigint, 2::bigint]) as id');
  const texts = await write('words', `select unnest(['2', '3', 'x']) as id`);
  expect(await findIds(connection, [numbers], 'id', ['1', 'x'])).toEqual(new Set([0]));
  expect(await findIds(connection, [texts], 'id', [3n, 4n])).toEqual(new Set([0]));
  expect(await findIds(connection, [numbers, texts], 'id', [1n, 2n, 3n, 4n])).toEqual(new Set([0, 1, 2]));
  expect(await findIds(connection, [numbers, texts], 'id', ['1', '3', 'x', 'y'])).toEqual(new Set([0, 1, 2]));
  expect(await findIds(connection, [texts], 'id', [bytes('x'), bytes('y')])).toEqual(new Set([0]));
});
