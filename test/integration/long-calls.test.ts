/** What takes long tells how far it is, over HTTP, Flight, the command line and the clients: fills, ticks, and pushes that are refused. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FeatherflightClient, type FillProgress, parseInstantUs, type RunSqlProgress } from '../../src/client/index.ts';
import { runCommand } from '../cli/run-command.ts';
import { call, post } from '../support/http-client.ts';
import { type PythonProcess, startPython } from '../support/start-python.ts';
import { applyRepository, type ServerProcess, startServer } from '../support/start-server.ts';
import { writeTables } from './make-store.ts';

const users = 700;
const definitions = (more = '') => `
import { count, entity, eventSource, featureView, kafka, mean, parquet, sqlSource, streamFeatureView } from 'featherflight';
export const user = entity('user', { joinKeys: { user_id: 'int64' } });
export const clicks = eventSource('clicks', {
  history: parquet('data/clicks.parquet'), eventTimestamp: 'at', columns: { user_id: 'int64', seconds: 'float64' },
});
export const orders = eventSource('orders', {
  stream: kafka({ brokers: ['127.0.0.1:9'], topic: 'orders' }), eventTimestamp: 'at', columns: { user_id: 'int64' },
});
export const activity = streamFeatureView('activity', {
  entities: [user], source: clicks, features: { n: count({ window: 'lifetime' })${more} },
});
export const pace = streamFeatureView('pace', {
  entities: [user], source: clicks, features: { pace: mean('seconds', { window: 'lifetime' }) },
});
export const hourly = sqlSource('hourly', {
  inputs: [clicks], every: '1h', offset: '0', sql: 'select user_id, count(*) as n from clicks where user_id < 3 group by user_id',
});
export const hours = featureView('hours', { entities: [user], source: hourly, features: { n: { type: 'int64' } } });
`;

let directory: string;
let server: ServerProcess;
let client: FeatherflightClient;
let python: PythonProcess;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'featherflight-long-'));
  for (const folder of ['features', 'data']) mkdirSync(join(directory, folder));
  writeFileSync(join(directory, 'featherflight.config.ts'), `export default { project: 'long' };\n`);
  writeFileSync(join(directory, 'features/all.ts'), definitions());
  await writeTables(directory, [
    [
      'data/clicks.parquet',
      `select u::bigint as user_id, s::double as seconds, timestamptz '2026-01-01 00:00:00+00' + to_minutes(cast(u % 60 as bigint)) as "at"
       from range(0, ${users}) as a(u), range(0, 2) as b(s)`,
    ],
  ]);
  await applyRepository(directory);
  server = await startServer(directory);
  client = new FeatherflightClient({ url: server.http, flightUrl: server.url });
  python = startPython(fileURLToPath(new URL('./client.py', import.meta.url)), { FEATHERFLIGHT_URL: server.url });
});
afterAll(async () => {
  await client?.close();
  await python?.kill();
  await server?.stop();
  rmSync(directory, { recursive: true, force: true });
});

/** Both views from their beginning to the end of each: what never falls, and what is known at the end. */
function expectFilling(told: readonly FillProgress[], keys = users): void {
  expect(told[0]).toMatchObject({ source: 'clicks', of: 2, events: 0, keys: 0, phase: 'sorting' });
  expect(told.every(({ done, of }) => done < of)).toBe(true);
  const last = told.at(-1);
  expect(last).toEqual({ source: 'clicks', view: 'pace', phase: 'removing', done: 1, of: 2, events: 2 * users, keys });
  expect(told.some(({ phase }) => phase === 'writing')).toBe(true);
  for (const [at, now] of told.entries()) {
    const before = told[at - 1];
    if (before?.view === now.view) expect([now.events >= before.events, now.keys >= before.keys]).toEqual([true, true]);
    else if (before !== undefined) expect([before.done + 1, before.view]).toEqual([now.done, 'activity']);
  }
}

async function lines(path: string, body: object): Promise<Record<string, unknown>[]> {
  const headers = { accept: 'application/x-ndjson', 'content-type': 'application/json' };
  const { status, text } = await call(`${server.http}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  expect(status).toBe(200);
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

describe('a replay', () => {
  const views = ['activity', 'pace'].map((view) => ({ view, events: 2 * users, keys: users }));

  it('tells how far it is over HTTP, and at its end what it did', async () => {
    const told = await lines('/api/v1/streams/clicks/replay', {});
    expect(told.at(-1)).toMatchObject({ done: { source: 'clicks', views } });
    expectFilling(told.slice(0, -1).map(({ progress }) => progress as FillProgress));
    const failed = await lines('/api/v1/streams/orders/reset', { from: 'latest' });
    expect(failed.at(-1)).toMatchObject({ error: { code: 'UNAVAILABLE', message: expect.stringContaining('127.0.0.1:9') } });
  });

  it('and in the Node client', async () => {
    const told: FillProgress[] = [];
    const report = await client.replay('clicks', { onProgress: (progress) => told.push(progress) });
    expect(report).toMatchObject({ source: 'clicks', views });
    expectFilling(told);
    const from = parseInstantUs('2026-01-01T00:59:00Z');
    const keys = Array.from({ length: users }, (_, user) => user % 60).filter((minute) => minute === 59).length;
    expect((await client.replay('clicks', { from })).views).toMatchObject([{ keys }, { keys }]);
    await expect(client.replay('clicks', { from: 2n, to: 1n })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(client.replay('click')).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('"clicks"'),
    });
    await expect(client.resetStream('clicks', { from: 'latest' })).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
    await expect(client.resetStream('orders', { from: { 0: 2n ** 60n } })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(client.resetStream('orders', { from: { 0: 'x' } })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    const gone = new AbortController();
    const stopped = client.replay('clicks', { signal: gone.signal, onProgress: () => gone.abort() });
    await expect(stopped).rejects.toMatchObject({ code: 'ABORTED' });
    // Stopped half-way, the states are made anew before they are served.
    const served = () => client.getOnlineFeatures({ features: ['activity:n'], entities: { user_id: [5] } });
    await expect.poll(async () => (await served()).columns.n?.values).toEqual([2n]);
  });

  it('and in Python, as a bar', async () => {
    const run = `
import io, contextlib
def shown(call):
    with contextlib.redirect_stderr(io.StringIO()) as err:
        report = call()
    return [report, err.getvalue()]`;
    const [report, bar] = (await python.run(`${run}\nshown(lambda: store.replay("clicks", progress=True))`)) as [unknown, string];
    expect(report).toMatchObject({ source: 'clicks', views });
    expect(bar.split('\r').at(-1)).toMatch(/^pace \(2 of 2\), removing keys without events: 1,400 events, .*events\/s\s*\n$/);
    expect(await python.run('shown(lambda: store.replay("clicks", start="2027-01-01T00:00:00Z", progress=False))')).toMatchObject(
      [{ views: [{ keys: 0 }, { keys: 0 }] }, ''],
    );
    await expect(python.run('store.reset("clicks", "latest")')).rejects.toThrow(/it only takes pushes/);
    await expect(python.run('store.reset("orders", {"0": "x"})')).rejects.toThrow(/no offset/);
    await expect(python.run('store.replay("click")')).rejects.toThrow(/did you mean "clicks"/);
  });

  it('and as a line on a terminal, here and there, within 80 columns', async () => {
    const shown: string[] = [];
    const onProgress = (line: string) => shown.push(line);
    const there = await runCommand(['replay', 'clicks', '--url', server.url], { directory, onProgress });
    expect(there).toMatchObject({ status: 0, stderr: '' });
    expect(shown).toContain('activity (1 of 2): events are sorted');
    expect(shown.some((line) => /^pace \(2 of 2\): 1,400 events read, \d+ keys$/.test(line))).toBe(true);
    expect(shown.slice(-2)).toEqual(['pace (2 of 2): keys without events are removed', '']);
    expect(shown.every((line) => line.length < 80)).toBe(true);
  });

  it('and so does an apply that fills', async () => {
    writeFileSync(join(directory, 'features/all.ts'), definitions(`, longest: mean('seconds', { window: '30d' })`));
    const shown: string[] = [];
    const applied = await runCommand(['apply', '--yes', '--url', server.url], {
      directory,
      onProgress: (line) => shown.push(line),
    });
    expect(applied).toMatchObject({ status: 0, stdout: expect.stringContaining('applied as version 2') });
    expect(shown[0]).toBe('activity: events are sorted');
    writeFileSync(join(directory, 'features/all.ts'), definitions(`, most: mean('seconds', { window: 'lifetime' })`));
    const told = await lines('/api/v1/apply', {});
    expect(told.at(-1)).toMatchObject({ done: { version: 3 } });
    expect(told[0]).toMatchObject({ progress: { source: 'clicks', view: 'activity', phase: 'sorting', done: 0, of: 1 } });
  });
});

describe('ticks of an SQL source', () => {
  const range = { start: '2026-01-01T01:00:00Z', end: '2026-01-01T04:30:00Z' };
  const report = {
    source: 'hourly',
    first: '2026-01-01T01:00:00.000000Z',
    last: '2026-01-01T04:00:00.000000Z',
    of: 4,
    not_due: 0,
  };

  it('run over HTTP, with how far they are', async () => {
    const told = await lines('/api/v1/sql-sources/hourly/run', range);
    expect(told.at(-1)).toMatchObject({ done: { ...report, ran: 4, skipped: 0, rows: 12 } });
    expect(told[0]).toMatchObject({ progress: { source: 'hourly', of: 4, ran: expect.any(Number), skipped: 0 } });
    const run = (path: string, body: object) => post(`${server.http}/api/v1/sql-sources/${path}/run`, body);
    expect((await run('hourly', range)).json()).toMatchObject({ ...report, ran: 0, skipped: 4, rows: 0 });
    expect((await run('hourly', { ...range, again: true })).json()).toMatchObject({ ran: 4, rows: 12 });
    expect((await run('hourly', { start: range.end, end: range.start })).status).toBe(400);
    expect((await run('hourly', { from: range.start })).json()).toMatchObject({ error: { code: 'INVALID_ARGUMENT' } });
    expect((await run('hourli', {})).json()).toMatchObject({
      error: { code: 'NOT_FOUND', message: expect.stringContaining('"hourly"') },
    });
    expect((await run('clicks', {})).json()).toMatchObject({
      error: { code: 'INVALID_ARGUMENT', message: expect.stringContaining('no SQL source') },
    });
    const { paths, components } = (await call(`${server.http}/openapi.json`)).json() as {
      paths: Record<string, { post: { requestBody: unknown; 'x-scope': string } }>;
      components: { schemas: Record<string, { properties: object }> };
    };
    expect(paths['/api/v1/sql-sources/{source}/run']?.post['x-scope']).toBe('write');
    expect(Object.keys(components.schemas.run_sql_request?.properties ?? {})).toEqual(['start', 'end', 'again']);
  });

  it('run by the command line with instants as people write them', async () => {
    const asked = ['run-sql', 'hourly', '--start', '2026-01-01 10:00+00', '--end', '2026-01-01T10:00Z', '--url', server.url];
    expect(await runCommand(asked, { directory })).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^hourly, 2026-01-01T10:\S+ to 2026-01-01T10:\S+\n1 tick ran with 3 rows in [\d.]+ s\n$/),
    });
    const wrong = await runCommand(['run-sql', 'hourly', '--start', 'yesterday', '--url', server.url], { directory });
    expect(wrong).toMatchObject({ status: 1, stderr: expect.stringContaining('"yesterday" is no instant') });
  });

  it('run from Node and from Python', async () => {
    const told: RunSqlProgress[] = [];
    const start = parseInstantUs('2026-01-01T05:00:00Z');
    const ran = await client.runSql('hourly', {
      start,
      end: '2026-01-01T07:00:00Z',
      onProgress: (progress) => told.push(progress),
    });
    expect(ran).toMatchObject({ of: 3, ran: 3, rows: 9, not_due: 0, last: '2026-01-01T07:00:00.000000Z' });
    expect(told.at(-1)).toMatchObject({ of: 3, done: 3, ran: 3, rows: 9, tick: ran.last });
    expect(await client.runSql('hourly', { start, end: start, again: true })).toMatchObject({ ran: 1, skipped: 0 });
    await expect(client.runSql('clicks')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    const asked = 'start=datetime.fromisoformat("2026-01-01T07:00:00+00:00"), end="2026-01-01T08:00:00Z"';
    expect(await python.run(`store.run_sql("hourly", ${asked})`)).toMatchObject({ of: 2, ran: 1, skipped: 1, rows: 3 });
    expect(await python.run(`store.run_sql("hourly", ${asked}, again=True)`)).toMatchObject({ ran: 2, skipped: 0 });
    await expect(python.run('store.run_sql("hourli")')).rejects.toThrow(/did you mean "hourly"/);
  });

  it('are no place for pushed rows, which is said with what to do', async () => {
    const said =
      /the rows of source "hourly" are made by its SQL.*push to what it reads \(clicks\).*featherflight run-sql hourly/;
    const rows = { user_id: [1], n: [1], event_timestamp: ['2026-01-01T00:00:00Z'], created_timestamp: ['2026-01-01T00:00:00Z'] };
    await expect(client.push('hourly', rows)).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringMatching(said),
    });
    writeFileSync(
      join(directory, 'rows.csv'),
      'user_id,n,event_timestamp,created_timestamp\n1,1,2026-01-01T00:00:00Z,2026-01-01T00:00:00Z\n',
    );
    const there = await runCommand(['push', 'hourly', 'rows.csv', '--url', server.url], { directory });
    expect(there).toMatchObject({ status: 1, stderr: expect.stringMatching(said) });
    const online = client.push('hourly', rows, { to: 'online' });
    await expect(online).rejects.toThrow(said);
  });
});

it('what a stream set aside is shown by the clients', async () => {
  const ahead = new Date(Date.now() + 3_600_000).toISOString();
  await client.push('clicks', { user_id: [1], seconds: [1], at: [ahead] });
  await expect.poll(async () => (await client.setAside('clicks')).total).toBe(1);
  const [event] = (await client.setAside('clicks', { limit: 1, partition: 'push', reason: 'ahead' })).events;
  expect(event).toMatchObject({ partition: 'push', encoding: 'utf8', reason: expect.stringContaining('ahead of the server') });
  expect((await client.setAside('clicks', { reason: 'a & b' })).events).toEqual([]);
  await expect(client.setAside('clicks', { limit: 0 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  expect(await python.run('store.set_aside("clicks", limit=1, reason="ahead")')).toMatchObject({ total: 1, events: [event] });
});
