import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { encodeRecordKey } from '../../src/online/encoding/keys.ts';
import { createOnlineSchemas, schemaNumber } from '../../src/online/encoding/schemas.ts';
import { openLmdbStore } from '../../src/online/lmdb-store.ts';
import { createOnlineRecords } from '../../src/online/records.ts';

const folder = mkdtempSync(join(tmpdir(), 'featherflight-records-'));
const store = openLmdbStore(folder);
afterAll(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('records', () => {
  it('are read, changed, listed and removed, by project and kind', async () => {
    const records = createOnlineRecords(store, 'p');
    const others = createOnlineRecords(store, 'pp');
    await others.update('watermark', 'a', () => 'other');
    await records.update('watermark', 'a', () => ({ at: '1' }));
    await records.update('watermark', 'b', (current) => current ?? [2]);
    await records.update('watermarks', 'c', () => 3);
    expect(await records.readMany('watermark', ['b', 'none', 'a'])).toEqual([[2], undefined, { at: '1' }]);
    expect((await records.list('watermark')).sort()).toEqual(['a', 'b']);
    expect(await records.update('watermark', 'a', () => undefined)).toBeUndefined();
    expect(await records.read('watermark', 'a')).toBeUndefined();
    expect(await others.read('watermark', 'a')).toBe('other');
  });

  it('lose no change when many change one at once', async () => {
    const records = createOnlineRecords(store, 'contended');
    const add = () => records.update<number>('count', 'n', (current = 0) => current + 1);
    await Promise.all(Array.from({ length: 40 }, add));
    expect(await records.read('count', 'n')).toBe(40);
  });

  it('are written many at once, whatever stands there, while others change them', async () => {
    const records = createOnlineRecords(store, 'many');
    await records.update('k', 'old', () => 1);
    const names = Array.from({ length: 300 }, (_, at) => `n${at}`);
    const all = new Map(names.map((name) => [name, { name }]));
    await Promise.all([
      records.writeMany('k', all),
      records.writeMany(
        'k',
        new Map([
          ['n1', { name: 'n1' }],
          ['old', undefined],
          ['never', undefined],
        ]),
      ),
    ]);
    await records.writeMany('k', new Map());
    expect(await records.readMany('k', names)).toEqual([...all.values()]);
    expect((await records.list('k')).sort()).toEqual([...names].sort());
  });

  it('that are damaged are refused by name', async () => {
    const key = encodeRecordKey('p', 'lease', 'x');
    await store.replace([{ key, expected: undefined, value: Buffer.from('{') }]);
    await expect(createOnlineRecords(store, 'p').read('lease', 'x')).rejects.toMatchObject({
      code: 'DATA_LOSS',
      message: expect.stringContaining('lease/x'),
    });
  });
});

describe('schemas', () => {
  const schema = { view: 'v', features: [{ name: 'a', type: 'int32', hash: 'h' }] };

  it('are stored once, and again when the store was flushed', async () => {
    const schemas = createOnlineSchemas(store, 'flushed');
    const id = await schemas.ensure(schema);
    expect(await schemas.ensure({ ...schema })).toBe(id);
    const records = createOnlineRecords(store, 'flushed');
    const [name = ''] = await records.list('schema');
    await records.update('schema', name, () => undefined);
    expect(await schemas.ensure(schema)).toBe(id);
    expect(await records.read('schema', name)).toEqual(schema);
  });

  it('that meet in one number get another, and readers find both', async () => {
    const other = { view: 'other', features: [] };
    const taken = schemaNumber(schema, 0);
    await createOnlineRecords(store, 'met').update('schema', taken.toString(16).padStart(8, '0'), () => other);
    const id = await createOnlineSchemas(store, 'met').ensure(schema);
    expect(id).toBe(schemaNumber(schema, 1));
    const reader = createOnlineSchemas(store, 'met');
    await reader.load([taken, id, 0, 12345]);
    expect([reader.get(taken), reader.get(id), reader.get(0), reader.get(12345)]).toEqual([other, schema, undefined, undefined]);
  });
});
