/** Files of `push`: what their text means is what the source's columns say, here and through a server, and a push counts once. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../cli/run-command.ts';
import { applyRepository, type ServerProcess, startServer } from '../support/start-server.ts';
import { writeTables } from './make-store.ts';

const directory = mkdtempSync(join(tmpdir(), 'featherflight-push-'));
let server: ServerProcess | undefined;

beforeAll(async () => {
  for (const folder of ['features', 'data']) mkdirSync(join(directory, folder));
  writeFileSync(join(directory, 'featherflight.config.ts'), `export default { project: 'push' };\n`);
  writeFileSync(join(directory, 'features/readings.ts'), definitions);
  await writeTables(directory, [['data/readings.parquet', rowOf(0)]]);
  await applyRepository(directory);
});
afterAll(async () => {
  await server?.stop();
  rmSync(directory, { recursive: true, force: true });
});

const definitions = `
import { batchSource, entity, featureView, parquet } from 'featherflight';
const table = parquet('data/readings.parquet');
export const sensor = entity('sensor', { joinKeys: { id: 'int64' } });
export const readings = batchSource('readings', { table, eventTimestamp: 'at', timezone: 'America/New_York', push: true });
export const strict = batchSource('strict', { table, eventTimestamp: 'at', push: true });
export const reading = featureView('reading', {
  entities: [sensor], source: readings,
  features: {
    since: { type: 'timestamp' }, code: { type: 'string' }, price: { type: 'decimal(20,2)' }, share: { type: 'float64' },
    token: { type: 'bytes' }, born: { type: 'date' }, ok: { type: 'bool' }, path: { type: 'list(int64)' },
  },
});
`;

const rowOf = (id: number, more = '') => `
  select ${id}::bigint as id, timestamptz '2026-01-01 00:00:00Z' as "at", timestamptz '2026-01-01 00:00:00Z' as since,
    '007' as code, 1.10::decimal(20,2) as price, 1.5::double as share, '\\x00'::blob as token, date '2026-01-01' as born,
    true as ok, [1]::bigint[] as path ${more}`;

async function push(...args: string[]) {
  const { status, stdout, stderr } = await runCommand(['push', ...args, '--json'], { directory });
  expect({ status, stderr }, stderr).toMatchObject({ status: 0 });
  return JSON.parse(stdout) as Record<string, number>;
}

const features = ['since', 'code', 'price', 'share', 'token', 'born', 'ok', 'path'];

/** The values of a sensor, and when it happened. */
async function read(id: string, ...args: string[]) {
  const names = features.map((name) => `reading:${name}`).join(',');
  const asked = ['get-online-features', '--features', names, '--entities', `{"id": ["${id}"]}`, '--json', ...args];
  const { stdout } = await runCommand(asked, { directory });
  const { columns } = JSON.parse(stdout) as { columns: Record<string, { values: unknown[]; event_timestamps: unknown[] }> };
  return [columns.since?.event_timestamps[0], ...features.map((name) => columns[name]?.values[0])];
}

/** A row with an id that no double holds, and what is read of it. */
const header = 'id,at,since,code,price,share,token,born,ok,path';
const files: readonly (readonly [name: string, text: (id: string) => string, expected: unknown[]])[] = [
  [
    'local.csv',
    (id) => `${header}\n${id},2026-03-01 03:04:05.123456,2026-07-01,008,1.1,2,AP8=,2026-01-02,true,"[1, 9007199254740993]"\n`,
    [
      '2026-03-01T08:04:05.123456Z',
      '2026-07-01T04:00:00.000000Z',
      '008',
      '1.10',
      2,
      'AP8=',
      '2026-01-02',
      true,
      ['1', '9007199254740993'],
    ],
  ],
  [
    'zoned.csv',
    (id) => `${header}\n${id},2026-03-01T03:04:05.123456Z,2026-03-01 03:04:05+01,"",123456789012345678.91,-0.25e1,,,FALSE,[]\n`,
    ['2026-03-01T03:04:05.123456Z', '2026-03-01T02:04:05.000000Z', '', '123456789012345678.91', -2.5, null, null, false, []],
  ],
  [
    'rows.json',
    (id) =>
      `[{"id":${id},"at":"2026-03-01T03:04:05.123456Z","since":"2026-03-01T03:04:05","code":"2026-01-02","price":1.1,"share":100000000000000000,"token":"AP8=","born":null,"ok":false,"path":[9007199254740993]}]`,
    [
      '2026-03-01T03:04:05.123456Z',
      '2026-03-01T08:04:05.000000Z',
      '2026-01-02',
      '1.10',
      1e17,
      'AP8=',
      null,
      false,
      ['9007199254740993'],
    ],
  ],
  [
    'rows.jsonl',
    (id) =>
      `{"id":"1${id}","at":"2026-03-01","share":1}\n{"id":"${id}","path":[],"at":"2026-03-01T00:00:00-05:00","price":"2","share":"NaN","since":null,"code":"é","token":"","born":"2026-01-02","ok":true}\n`,
    ['2026-03-01T05:00:00.000000Z', null, 'é', '2.00', 'NaN', '', '2026-01-02', true, []],
  ],
];

describe.each(['here', 'there'])('pushed %s', (where) => {
  const more: string[] = [];
  beforeAll(async () => {
    if (where === 'there') server = await startServer(directory);
    if (server !== undefined) more.push('--url', server.url);
  });

  it.each(files)('%s is read by the types of its source, and by its zone where a time has none', async (name, text, expected) => {
    const id = `9007199254740${where === 'here' ? 1 : 2}${files.findIndex(([file]) => file === name)}1`;
    const file = `${where}-${name}`;
    writeFileSync(join(directory, file), text(id));
    const report = await push('readings', file, ...more);
    expect(report).toMatchObject({ archived: report.rows, written: report.rows });
    expect(await read(id, ...more)).toEqual(expected);
  });

  it('typed files keep their types, whole numbers and decimals being floats too', async () => {
    const [id, whole] = where === 'here' ? [60, 61] : [62, 63];
    const typed = `${where}.parquet`;
    await writeTables(directory, [
      [typed, `select * replace (timestamp '2026-03-01 03:04:05.123456' as "at") from (${rowOf(id)})`],
      [`whole-${typed}`, `select * replace (7::bigint as share, 3::integer as price) from (${rowOf(whole)})`],
    ]);
    await push('readings', typed, ...more);
    await push('readings', `whole-${typed}`, ...more);
    const row = [
      '2026-01-01T00:00:00.000000Z',
      '2026-01-01T00:00:00.000000Z',
      '007',
      '1.10',
      1.5,
      'AA==',
      '2026-01-01',
      true,
      ['1'],
    ];
    expect(await read(String(id), ...more)).toEqual(['2026-03-01T08:04:05.123456Z', ...row.slice(1)]);
    expect(await read(String(whole), ...more)).toEqual([...row.slice(0, 3), '3.00', 7, ...row.slice(5)]);
  });

  it('a repeated push is archived once, whoever names it', async () => {
    const line = (id: number) => `${id},2026-03-01T00:00:00Z,,a,1,1,,,true,[]`;
    const rows = (count: number) => Array.from({ length: count }, (_, at) => line((where === 'here' ? 100_000 : 200_000) + at));
    const write = (count: number) => writeFileSync(join(directory, 'many.csv'), [header, ...rows(count)].join('\n'));
    write(12_000);
    expect(await push('readings', 'many.csv', ...more)).toEqual({
      rows: 12_000,
      archived: 12_000,
      written: 12_000,
      unchanged: 0,
      erased: 0,
    });
    expect(await push('readings', 'many.csv', ...more)).toMatchObject({
      rows: 12_000,
      archived: 0,
      written: 0,
      unchanged: 12_000,
    });
    // Rows that were appended are new; parts that are whole are known.
    write(12_001);
    expect(await push('readings', 'many.csv', ...more)).toMatchObject({ archived: 2001, written: 1 });
    const named = (key: string) => push('readings', 'many.csv', '--idempotency-key', `${where} ${key}`, ...more);
    expect(await named('monday')).toMatchObject({ archived: 12_001, written: 0 });
    expect(await named('monday')).toMatchObject({ archived: 0 });
    expect(await named('tuesday')).toMatchObject({ archived: 12_001 });
    const told = await runCommand(['push', 'readings', 'many.csv', ...more], { directory });
    expect(told.stderr).toBe('12001 rows were pushed before and are not archived again\n');
  });

  it('what is no value of its column is refused by column and row of the file', async () => {
    const refused = async (source: string, text: string) => {
      writeFileSync(join(directory, 'wrong.csv'), text);
      const { status, stderr } = await runCommand(['push', source, 'wrong.csv', ...more], { directory });
      expect(status).toBe(1);
      return stderr;
    };
    const line = (at: string, share = '1') => `1,${at},,a,1,${share},,,true,[]`;
    expect(await refused('strict', `${header}\n${line('2026-03-01 00:00:00')}`)).toMatch(
      /"at", row 0: .* write it with an offset/,
    );
    expect(await refused('readings', `${header}\n${line('2026-03-08 02:30:00')}`)).toContain('does not exist');
    expect(await refused('readings', `${header}\n${line('2026-03-01', 'one')}`)).toMatch(/"share", row 0: "one" is no DOUBLE/);
    expect(await refused('readings', `${header}\n${line('2026-03-01', '9007199254740993')}`)).toMatch(/"share", row 0/);
    expect(await refused('readings', `id,at\n1,2026-03-01`)).toContain('needs column "since"');
    const late = [...Array.from({ length: 6000 }, () => line('2026-03-01')), line('2026-03-01', 'x')].join('\n');
    expect(await refused('readings', `${header}\n${late}`)).toContain(
      'row 1000: "x" is no DOUBLE: write a number, or "NaN", "Infinity", "-Infinity" (row 6000 of the file)',
    );
    expect(await refused('reading', `${header}\n`)).toContain('did you mean "readings"');
  });
});
