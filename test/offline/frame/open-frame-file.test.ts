/** Entity frames from files come back as they were written, in type and value (rule 4.1), or are refused. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Dictionaries } from '../../../src/arrow/dictionaries.ts';
import { changedDictionaries } from '../../../src/arrow/dictionary-changes.ts';
import { createArrowFile } from '../../../src/arrow/file-writer.ts';
import { readValues } from '../../../src/arrow/read-value.ts';
import { type Field, field, formatType, type TimeUnit } from '../../../src/arrow/schema.ts';
import { encapsulateMessage, encodeSchemaMessage } from '../../../src/arrow/schema-message.ts';
import { type Engine, openEngine } from '../../../src/offline/duckdb/engine.ts';
import { openFrameFile } from '../../../src/offline/frame/open-frame-file.ts';
import { runProgram } from '../../support/run-program.ts';

const folder = mkdtempSync(join(tmpdir(), 'featherflight-frames-'));
const fromRoot = (path: string) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const python = async (...args: string[]) => {
  const done = await runProgram(fromRoot('.venv/bin/python'), [fromRoot('test/support/path_frames.py'), ...args]);
  expect(done).toMatchObject({ status: 0, stderr: '' });
};
const never = new AbortController().signal;
let engine: Engine;

beforeAll(async () => {
  engine = await openEngine({ threads: 2, memory: '512MB', spillDirectory: join(folder, 'spill'), spillLimit: '1GB' });
  await python('make', folder);
});
afterAll(() => {
  engine.close();
  rmSync(folder, { recursive: true, force: true });
});

const open = (name: string) => openFrameFile(engine, { file: join(folder, name), name, root: folder });

/** Writes a frame as an Arrow stream and gives the rows of its batches. */
async function save(name: string, maxRows: number): Promise<number[]> {
  const frame = await open(name);
  const writer = await createArrowFile(join(folder, `${name}.read`), frame.schema, { format: 'stream' });
  let known: Dictionaries = new Map();
  const lengths: number[] = [];
  for await (const { columns, length, dictionaries } of frame.batches(maxRows, never)) {
    for (const change of changedDictionaries(frame.schema, known, dictionaries)) await writer.writeDictionary(change);
    known = dictionaries;
    await writer.write({ schema: frame.schema, columns, length });
    lengths.push(length);
  }
  await writer.finish();
  return lengths;
}

describe('a file that pyarrow wrote', () => {
  it.each([
    ['arrow.parquet', 4096, [3000, 2000]],
    ['plain.parquet', 1000, undefined],
    ['old.parquet', 65_536, [5000]],
    ['empty.parquet', 65_536, [0]],
    ['file.arrow', 1000, [1000, 500, 1000, 500, 1000, 500, 500]],
    ['changing.arrows', 65_536, [5000, 5000]],
    ['none.arrow', 65_536, [0]],
  ])('%s comes back equal, in batches of at most %i rows', async (name, maxRows, expected) => {
    const lengths = await save(name, maxRows);
    if (expected !== undefined) expect(lengths).toEqual(expected);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(maxRows);
    const frame = name.split('.')[0] as string;
    await python('compare', folder, `${frame}=${join(folder, `${name}.read`)}`);
    const { rows } = await open(name);
    if (name.endsWith('.parquet')) expect(Number(rows)).toBe(lengths.reduce((sum, length) => sum + length));
    else expect(rows).toBeUndefined();
  });

  it.each([
    ['lossy_zone.parquet', 'zone', 'timestamp[ns, UTC], which has nanoseconds that would be cut'],
    ['lossy_inside.parquet', 'inside', 'timestamp[ns, UTC], which has nanoseconds that would be cut'],
    ['lossy_time.parquet', 'time', 'time64[ns], which has nanoseconds that would be cut'],
    ['lossy_int96.parquet', 'int96', 'INT96, which has nanoseconds that would be cut'],
    ['lossy_wide.parquet', 'wide', 'decimal of more than 38 digits, which would be rounded'],
  ])('%s is refused rather than cut', async (name, column, problem) => {
    await expect(open(name)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining(`column "${column}" of "${name}" is ${problem}`),
      details: { column },
    });
  });
});

describe('a file that others wrote', () => {
  const copy = (name: string, sql: string, options = '') =>
    engine.session(undefined, (session) => session.rows(`copy (${sql}) to '${join(folder, name)}' (format parquet${options})`));
  const arrowSchema = (...fields: Field[]) => {
    const message = encapsulateMessage(encodeSchemaMessage({ fields, metadata: new Map() }));
    return `, kv_metadata {'ARROW:schema': '${Buffer.from(message).toString('base64')}'}`;
  };
  const valuesOf = async (name: string) => {
    const { value } = await (await open(name)).batches(10, never).next();
    return value?.columns.map(readValues);
  };

  it('has the types of Parquet where no Arrow schema is in it', async () => {
    await copy(
      'duck.parquet',
      `select '10:00:00+02'::timetz as t, ['10:00:00+02'::timetz] as l, {'TIME WITH TIME ZONE': '10:00:00'::timetz} as s,
       '2026-03-01'::timestamp_ms as m, '550e8400-e29b-41d4-a716-446655440000'::uuid as u, interval 2 days as i, 1::hugeint::decimal(38, 0) as d`,
    );
    const { schema } = await open('duck.parquet');
    expect(schema.fields.map(formatType)).toEqual([
      'time64[us]',
      'list<time64[us]>',
      'struct<TIME WITH TIME ZONE: time64[us]>',
      'timestamp[ms]',
      'utf8',
      'interval[monthDayNano]',
      'decimal128(38, 0)',
    ]);
    expect(await valuesOf('duck.parquet')).toEqual([
      [28_800_000_000n],
      [[28_800_000_000n]],
      [{ 'TIME WITH TIME ZONE': 36_000_000_000n }],
      [1_772_323_200_000n],
      ['550e8400-e29b-41d4-a716-446655440000'],
      [{ months: 0, days: 2, nanoseconds: 0n }],
      ['1'],
    ]);
  });

  it('keeps infinite times in every unit', async () => {
    await copy('infinite.parquet', `select 'infinity'::timestamptz as t, '-infinity'::timestamptz as u`);
    const time = (name: string, unit: TimeUnit) => field(name, { id: 'timestamp', unit, timezone: 'UTC' });
    await copy('scaled.parquet', `from '${join(folder, 'infinite.parquet')}'`, arrowSchema(time('t', 'ms'), time('u', 's')));
    expect(await valuesOf('infinite.parquet')).toEqual([[2n ** 63n - 1n], [-(2n ** 63n) + 1n]]);
    expect(await valuesOf('scaled.parquet')).toEqual([[2n ** 63n - 1n], [-(2n ** 63n) + 1n]]);
  });

  it.each<[string, string, Field, string]>([
    [
      'another type',
      'select 1::bigint as x',
      field('x', { id: 'utf8' }),
      "is read as int64 where the file's Arrow schema says utf8",
    ],
    [
      'one with children',
      'select 1::bigint as x',
      field('x', { id: 'list' }, [field('item', { id: 'utf8' })]),
      'says list<utf8>',
    ],
    ['one without children', 'select [1] as x', field('x', { id: 'utf8' }), 'is read as list<int32>'],
    ['other children', 'select {a: 1} as x', field('x', { id: 'struct' }, []), 'says struct<>'],
    [
      'another scale',
      'select 1::decimal(4, 2) as x',
      field('x', { id: 'decimal', bits: 128, precision: 4, scale: 1 }),
      'decimal128(4, 1)',
    ],
  ])('is refused where its Arrow schema says %s', async (_, sql, said, message) => {
    await copy('other.parquet', sql, arrowSchema(said));
    await expect(open('other.parquet')).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining(message),
      details: { column: 'x' },
    });
  });

  it.each<[string, string, Field, string]>([
    [
      'time',
      `select '2026-03-01 00:00:00.0015'::timestamp as x`,
      field('x', { id: 'timestamp', unit: 'ms' }),
      'no timestamp[ms] is',
    ],
    ['time of day', `select '00:00:00.5'::time as x`, field('x', { id: 'time', unit: 's', bits: 32 }), 'no time32[s] is'],
    [
      'time beyond 64 bits',
      `select '2400-01-01'::timestamp as x`,
      field('x', { id: 'timestamp', unit: 'ns' }),
      'no timestamp[ns] is',
    ],
    ['integer', 'select -1::bigint as x', field('x', { id: 'int', bits: 32, signed: false }), 'no uint32 is'],
    ['float', 'select 0.1::float as x', field('x', { id: 'float', bits: 16 }), 'no float16 is'],
    ['length', `select 'abc'::blob as x`, field('x', { id: 'fixedSizeBinary', width: 2 }), 'no fixedSizeBinary[2] is'],
    ['uuid', `select 'abc' as x`, field('x', { id: 'fixedSizeBinary', width: 16 }), 'no fixedSizeBinary[16] is'],
    [
      'list',
      'select [1] as x',
      field('x', { id: 'fixedSizeList', size: 2 }, [field('item', { id: 'int', bits: 32, signed: true })]),
      'has a list of 1 elements',
    ],
  ])('is refused, not changed, where a %s is none of its Arrow schema', async (_, sql, said, message) => {
    await copy('value.parquet', sql, arrowSchema(said));
    await expect(valuesOf('value.parquet')).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining(message),
      details: { column: 'x' },
    });
  });

  it('has the types of Parquet where the Arrow schema is of other columns, and is refused where it is none', async () => {
    await copy('renamed.parquet', 'select 1 as x', arrowSchema(field('y', { id: 'utf8' })));
    expect((await open('renamed.parquet')).schema.fields.map(formatType)).toEqual(['int32']);
    await copy('broken.parquet', 'select 1 as x', `, kv_metadata {'ARROW:schema': 'AAAA'}`);
    await expect(open('broken.parquet')).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('"broken.parquet" has an Arrow schema in its metadata that cannot be read'),
    });
  });
});

describe('any other file', () => {
  it('has the types that DuckDB finds in CSV and JSON', async () => {
    writeFileSync(join(folder, 'x.csv'), 'n,t,s\n1,2026-03-01 12:00:00,a\n2,,"b"\n');
    writeFileSync(join(folder, 'x.jsonl'), '{"n":1,"l":[1.5]}\n{"n":null,"l":[]}\n');
    const typesOf = async (name: string) => (await open(name)).schema.fields.map(formatType);
    expect(await typesOf('x.csv')).toEqual(['int64', 'timestamp[us]', 'utf8']);
    expect(await typesOf('x.jsonl')).toEqual(['int64', 'list<float64>']);
  });

  it('of text is looked at to its end', async () => {
    const rows = Array.from({ length: 100_000 }, (_, row) => row);
    writeFileSync(join(folder, 'long.csv'), `n\n${rows.join('\n')}\nx\n`);
    writeFileSync(join(folder, 'long.jsonl'), `${rows.map((n) => `{"n":${n}}`).join('\n')}\n{"n":1.5,"late":"x"}\n`);
    const typesOf = async (name: string) => (await open(name)).schema.fields.map((each) => `${each.name} ${formatType(each)}`);
    expect(await typesOf('long.csv')).toEqual(['n utf8']);
    expect(await typesOf('long.jsonl')).toEqual(['n float64', 'late utf8']);
  });

  it('may have a name that looks like a pattern', async () => {
    const inside = join(folder, 'a[b]*{c}');
    mkdirSync(inside);
    copyFileSync(join(folder, 'old.parquet'), join(inside, 'x?[1].parquet'));
    expect((await open('a[b]*{c}/x?[1].parquet')).rows).toBe(5000n);
  });

  it('is refused by name where it is none, or cut short', async () => {
    writeFileSync(join(folder, 'x.arrow'), 'ARROW1 and no more');
    writeFileSync(join(folder, 'x.parquet'), 'PAR1 and no more');
    await expect(open('x.xlsx')).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('"x.xlsx"'),
    });
    await expect(open('x.arrow')).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('x.arrow'),
    });
    await expect(open('x.parquet')).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
    await expect(open('gone.arrow')).rejects.toMatchObject({ message: expect.stringContaining('"gone.arrow" cannot be read') });
  });

  it('is not read further than the signal says, and is closed', async () => {
    for (const name of ['arrow.parquet', 'file.arrow']) {
      const abort = new AbortController();
      const batches = (await open(name)).batches(100, abort.signal);
      expect((await batches.next()).value?.length).toBe(100);
      abort.abort(new Error('enough'));
      await expect(
        (async () => {
          for await (const _ of batches);
        })(),
      ).rejects.toThrow('enough');
    }
  });

  it('of Arrow is refused when another one takes its place', async () => {
    copyFileSync(join(folder, 'file.arrow'), join(folder, 'moving.arrow'));
    const frame = await open('moving.arrow');
    copyFileSync(join(folder, 'none.arrow'), join(folder, 'moving.arrow'));
    await expect(frame.batches(100, never).next()).rejects.toMatchObject({ code: 'ABORTED' });
    expect((await open('moving.arrow')).hash).not.toBe(frame.hash);
  });
});
