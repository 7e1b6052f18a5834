/** `preview` and `get-historical-features` from files to files. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { columnFromValues } from '../../src/arrow/build.ts';
import { openArrowFile } from '../../src/arrow/file-reader.ts';
import { createArrowFile } from '../../src/arrow/file-writer.ts';
import { readValues } from '../../src/arrow/read-value.ts';
import { field, formatType } from '../../src/arrow/schema.ts';
import { runCommand } from './run-command.ts';

const scratch = mkdtempSync(join(tmpdir(), 'featherflight-retrieval-'));
const store = join(scratch, 'store');
const run = (...args: string[]) => runCommand(args, { directory: store });
const answer = (...args: string[]) => run('get-historical-features', '--entities', 'data/frame.csv', ...args);
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const expected = [
  'customer_id,event_timestamp,churned,orders_30d,spend_30d',
  '1,2026-03-01T12:00:00.000000Z,0,3,59.9',
  '1,2026-03-02T12:00:00.000000Z,0,4,79.85',
  '2,2026-03-02T00:00:00.000000Z,1,1,12',
  '3,2026-03-02T12:00:00.000000Z,1,0,',
  '4,2026-03-02T12:00:00.000000Z,0,0,',
  '',
].join('\n');

beforeAll(async () => {
  expect(await runCommand(['init', 'store'], { directory: scratch })).toMatchObject({ status: 0 });
});

describe('preview', () => {
  it('computes a view or a service before anything is applied', async () => {
    const { status, stdout, stderr } = await run('preview', 'churn_v1', '--entities', 'data/frame.csv', '--statuses');
    expect(status).toBe(0);
    expect(stdout.split('\n')[0]).toMatch(/^customer_id +event_timestamp +churned +orders_30d +orders_30d__status /);
    expect(stdout).toMatch(/^4 +2026-03-02T12:00:00.000000Z +0 +0 +NOT_FOUND +NULL +true /m);
    expect(stderr).toMatch(/^5 rows in [\d.]+ s\nFEATURE +PRESENT +NULL +NOT FOUND/);
    const view = await run('preview', 'customer_stats', '--entities', 'data/frame.csv', '--json');
    expect(JSON.parse(view.stdout.split('\n')[4] as string)).toEqual({
      customer_id: '4',
      event_timestamp: '2026-03-02T12:00:00.000000Z',
      churned: '0',
      orders_30d: '0',
      spend_30d: null,
    });
  });

  it('leaves alone what a server may be reading, and nothing of its own', async () => {
    expect(readdirSync(join(store, '.featherflight'))).not.toContain('projections');
    expect(readdirSync(join(store, '.featherflight/preview'))).toEqual([]);
  });

  it('names the nearest view for a wrong one', async () => {
    expect(await run('preview', 'churn_v2', '--entities', 'data/frame.csv')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('did you mean "churn_v1"?'),
    });
  });
});

describe('get-historical-features', () => {
  beforeAll(async () => {
    expect(await answer('--service', 'churn_v1', '--out', '-')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('featherflight apply'),
    });
    expect(await run('apply')).toMatchObject({ status: 0 });
  });

  it('writes CSV to standard output and the report to standard error', async () => {
    const { status, stdout, stderr } = await answer('--service', 'churn_v1', '--out', '-');
    expect({ status, stdout }).toEqual({ status: 0, stdout: expected });
    expect(stderr).toMatch(/^orders_30d +3 +0 +1 +1 +2 +0$/m);
  });

  it('writes CSV, Arrow and Parquet by extension, each readable as a frame again', async () => {
    for (const out of ['a.csv', 'a.arrow', 'a.arrows', 'a.parquet']) {
      expect(await answer('--service', 'churn_v1', '--out', out)).toMatchObject({
        status: 0,
        stdout: expect.stringContaining(`${out}: 5 rows`),
      });
      const again = await run(
        'get-historical-features',
        '--entities',
        out,
        '--features',
        'customer_stats@now:orders_30d',
        '--out',
        '-',
      );
      expect(again).toMatchObject({ status: 0 });
      expect(again.stdout.split('\n')[0], out).toBe('customer_id,event_timestamp,churned,orders_30d,spend_30d,now__orders_30d');
      expect(again.stdout.split('\n')[2], out).toBe('1,2026-03-02T12:00:00.000000Z,0,4,79.85,4');
    }
    expect(readFileSync(join(store, 'a.csv'), 'utf8')).toBe(expected);
    expect(readdirSync(store).filter((name) => name.includes('draft'))).toEqual([]);
  });

  it('writes JSON lines, 64-bit integers as text', async () => {
    expect(await answer('--service', 'churn_v1', '--out', 'a.jsonl')).toMatchObject({ status: 0 });
    const lines = readFileSync(join(store, 'a.jsonl'), 'utf8').trim().split('\n');
    expect(lines).toHaveLength(5);
    expect(JSON.parse(lines[0] as string)).toMatchObject({ customer_id: '1', orders_30d: '3', spend_30d: 59.9 });
  });

  it('says the report in JSON', async () => {
    const { stdout } = await answer('--features', 'customer_stats:spend_30d', '--out', 'b.parquet', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      out: 'b.parquet',
      report: { rows: 5, features: [{ name: 'spend_30d', present: 3, not_found: 1, outside_max_age: 1 }] },
    });
  });

  it('keeps the dictionaries of an Arrow frame', async () => {
    const dictionary = { id: 1n, indexBits: 8, indexSigned: true, ordered: false } as const;
    const name = { ...field('name', { id: 'utf8' }), dictionary };
    const key = field('customer_id', { id: 'int', bits: 32, signed: true });
    const time = field('event_timestamp', { id: 'timestamp', unit: 'ms', timezone: 'UTC' });
    const schema = { fields: [name, key, time], metadata: new Map() };
    const file = await createArrowFile(join(store, 'named.arrow'), schema);
    await file.writeDictionary({ id: 1n, isDelta: false, values: columnFromValues(field('name', { id: 'utf8' }), ['x', 'y']) });
    const columns = [
      columnFromValues(name, [1, null]),
      columnFromValues(key, [1, 2]),
      columnFromValues(time, [1772452800000n, null]),
    ];
    await file.write({ schema, length: 2, columns });
    await file.finish();
    const retrieve = (out: string) =>
      run('get-historical-features', '--entities', 'named.arrow', '--service', 'churn_v1', '--out', out);
    expect(await retrieve('c.arrow')).toMatchObject({ status: 0 });
    const answered = await openArrowFile(join(store, 'c.arrow'));
    expect(answered.schema.fields.map(formatType)).toEqual([
      'dictionary<int8, utf8>',
      'int32',
      'timestamp[ms, UTC]',
      'int64',
      'float64',
    ]);
    for await (const { batch, dictionaries } of answered.batches()) {
      expect(batch.columns.map(readValues)).toEqual([
        [1, null],
        [1, 2],
        [1772452800000n, null],
        [4n, 0n],
        [79.85, null],
      ]);
      expect(readValues(dictionaries.get(1n) as never)).toEqual(['x', 'y']);
    }
    await answered.close();
    expect((await retrieve('-')).stdout.split('\n').slice(1, 3)).toEqual(['y,1,2026-03-02T12:00:00.000Z,4,79.85', ',2,,0,']);
  });

  it.each([
    [['--out', '-'], 2, 'name either --service or --features'],
    [['--service', 'churn_v1', '--features', 'a:b', '--out', '-'], 2, 'name either --service or --features'],
    [['--service', 'churn_v1', '--out', 'x.xlsx'], 2, 'must end in .parquet'],
    [['--service', 'churn_v1'], 2, "required option '--out <file>' not specified"],
    [['--service', 'churn_v1', '--keys', 'nonsense', '--out', '-'], 2, 'is not view.key=column'],
    [['--service', 'churn', '--out', '-'], 1, 'feature service'],
    [['--features', 'customer_stats:spend_30', '--out', '-'], 1, 'did you mean "spend_30d"?'],
    [['--service', 'churn_v1', '--timestamp', 'event_timestam', '--out', '-'], 1, 'did you mean "event_timestamp"?'],
    [['--service', 'churn_v1', '--keys', 'customer_stats.customer_id=customer', '--out', '-'], 1, '"customer"'],
    [
      ['--service', 'churn_v1', '--timestamp', 'when', '--out', '-'],
      1,
      'on the command line: --timestamp COLUMN, or --at INSTANT',
    ],
    [['--service', 'churn_v1', '--keys', 'customer_stats.customer_id=x', '--out', '-'], 1, '--keys view.key=column'],
    [['--service', 'churn_v1', '--out', 'missing/x.csv'], 1, '"missing/x.csv" cannot be written'],
    [['--service', 'churn_v1', '--out', 'missing/x.arrow'], 1, '"missing/x.arrow" cannot be written'],
    [['--service', 'churn_v1', '--out', 'missing/x.parquet'], 1, 'missing/x.parquet'],
  ])('with %j ends with status %i', async (args, status, message) => {
    const finished = await answer(...args);
    expect(finished).toMatchObject({ status, stdout: '', stderr: expect.stringContaining(message) });
    expect(finished.stderr).not.toMatch(/^ +at /m);
  });

  it('names an entity frame that is not there, or that it does not read', async () => {
    const from = (entities: string) =>
      run('get-historical-features', '--entities', entities, '--service', 'churn_v1', '--out', '-');
    expect(await from('none.csv')).toMatchObject({ status: 1, stderr: expect.stringContaining('"none.csv" does not exist') });
    writeFileSync(join(store, 'frame.xlsx'), 'x');
    expect(await from('frame.xlsx')).toMatchObject({ status: 1, stderr: expect.stringContaining('frame.xlsx') });
    writeFileSync(join(store, 'broken.arrow'), 'ARROW1 and no more');
    expect(await from('broken.arrow')).toMatchObject({ status: 1, stderr: expect.not.stringMatching(/^ +at /m) });
  });
});
