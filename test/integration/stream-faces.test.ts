/** How streams are told of and mended: over HTTP, Flight, metrics, the command line and the clients, with a server and without. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FeatherflightClient } from '../../src/client/index.ts';
import type { ShownStream } from '../../src/serve/stream-status.ts';
import { runCommand } from '../cli/run-command.ts';
import { call, post } from '../support/http-client.ts';
import { type PythonProcess, startPython } from '../support/start-python.ts';
import { applyRepository, type ServerProcess, startServer } from '../support/start-server.ts';
import { writeTables } from './make-store.ts';

const definitions = `
import { count, csv, entity, eventSource, fitted, kafka, mean, streamFeatureView } from 'featherflight';
export const user = entity('user', { joinKeys: { user_id: 'int64' } });
const columns = { user_id: 'int64', seconds: 'float64', kind: { type: 'string', values: ['view', 'click'] } } as const;
export const clicks = eventSource('clicks', { history: csv('data/old.csv'), eventTimestamp: 'at', lateness: '2h', columns });
export const orders = eventSource('orders', {
  stream: kafka({ brokers: ['127.0.0.1:9'], topic: 'orders' }), eventTimestamp: 'at', columns: { user_id: 'int64' },
});
export const activity = streamFeatureView('activity', {
  entities: [user], source: clicks,
  features: { n: count({ window: '7d' }), mean_seconds: mean('seconds', { window: '30d', default: fitted('mean') }) },
});
export const spending = streamFeatureView('spending', {
  entities: [user], source: orders, features: { orders: count({ window: '1d' }) },
});
`;
const ago = (seconds: number) => new Date(Date.now() - 1000 * seconds).toISOString();
const [hour, day] = [3600, 86_400];

let directory: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'featherflight-streams-'));
  for (const folder of ['features', 'data']) mkdirSync(join(directory, folder));
  writeFileSync(join(directory, 'featherflight.config.ts'), `export default { project: 'faces' };\n`);
  writeFileSync(join(directory, 'features/clicks.ts'), definitions);
  const old = [`1,2.5,click,${ago(3 * day)}`, `2,3.5,view,${ago(2 * day)}`];
  writeFileSync(join(directory, 'data/old.csv'), `user_id,seconds,kind,at\n${old.join('\n')}\n`);
  await applyRepository(directory);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function run(...args: string[]) {
  const { status, stdout, stderr } = await runCommand(args, { directory });
  expect({ status, stderr }, stderr).toMatchObject({ status: 0 });
  return stdout;
}

const json = async (...args: string[]) => JSON.parse(await run(...args, '--json'));

async function refused(...args: string[]) {
  const { status, stderr } = await runCommand(args, { directory });
  expect(status).toBe(1);
  return stderr;
}

/** The count and the mean of a user's events, as they are served. */
async function served(id: number, ...args: string[]) {
  const asked = ['--features', 'activity:n,activity:mean_seconds', '--entities', `{"user_id": ["${id}"]}`];
  const { columns } = await json('get-online-features', ...asked, ...args);
  return [columns.n.values[0], columns.mean_seconds.values[0], columns.mean_seconds.is_default[0]];
}

describe('without a server', () => {
  it('events of a file are durable and applied when push ends, once', async () => {
    const rows = [`1,1.5,click,${ago(60)}`, `3,4.5,view,${ago(-hour)}`, `2,9,view,${ago(5 * hour)}`];
    writeFileSync(join(directory, 'new.csv'), `user_id,seconds,kind,at\n${rows.join('\n')}\n`);
    const told = await runCommand(['push', 'clicks', 'new.csv'], { directory });
    expect(told).toMatchObject({
      status: 0,
      stdout: 'pushed 3 events to clicks: 3 are new\napplied 2 events; 1 late, 1 set aside, 0 duplicates\n',
      stderr: 'why they were set aside: featherflight source set-aside clicks\n',
    });
    expect(await served(1)).toEqual(['2', 2, false]);
    // The late one counts in training alone.
    expect(await served(2)).toEqual(['1', 3.5, false]);
    expect(await json('push', 'clicks', 'new.csv')).toEqual({
      rows: 3,
      appended: 0,
      applied: { records: 0, events: 0, late: 0, set_aside: 0, duplicates: 0 },
    });
    expect(await served(1)).toEqual(['2', 2, false]);
  });

  it('typed files are pushed by the types that the source declares', async () => {
    await writeTables(directory, [
      ['typed.parquet', `select 4::integer as user_id, 2::bigint as seconds, 'view' as kind, now() as "at"`],
    ]);
    expect(await json('push', 'clicks', 'typed.parquet')).toMatchObject({ rows: 1, appended: 1, applied: { events: 1 } });
    expect(await served(4)).toEqual(['1', 2, false]);
  });

  it('events that are none are refused by what is wrong with them, and nothing is kept', async () => {
    const write = (text: string) => writeFileSync(join(directory, 'wrong.csv'), text);
    write(`user_id,seconds,kind,at\n1,2,clik,${ago(1)}\n`);
    expect(await refused('push', 'clicks', 'wrong.csv')).toMatch(/source "clicks" does not take these events: .*"clik"/);
    write(`user_id,page,at\n1,2,${ago(1)}\n`);
    expect(await refused('push', 'clicks', 'wrong.csv')).toContain('source "clicks" has no column "page"');
    expect(await refused('push', 'click', 'wrong.csv')).toContain('did you mean "clicks"');
  });

  it('streams are listed as the store has them', async () => {
    const { streams } = (await json('source', 'list')) as { streams: ShownStream[] };
    expect(streams.map(({ source }) => source)).toEqual(['clicks', 'orders']);
    expect(streams[0]).toMatchObject({ stream: null, views: ['activity'], error: null, log_error: null, since_start: null });
    expect(streams[0]?.partitions).toEqual([
      {
        ...{ partition: 'push', next: '2', end: '2', lag_records: 0, lag_seconds: 0 },
        ...{ max_event_time: expect.stringMatching(/Z$/), freshness_seconds: expect.any(Number) },
        ...{ records: 2, events: 3, late: 1, set_aside: 1, duplicates: 0 },
      },
    ]);
    expect(streams[1]).toMatchObject({ stream: 'kafka topic orders at 127.0.0.1:9' });
    expect(streams[1]?.log_error).toContain('127.0.0.1:9 cannot be asked');
    const table = await run('source', 'list', 'clicks');
    expect(table.split('\n').every((line) => line.length <= 80)).toBe(true);
    expect(table).toMatch(/^SOURCE +PARTITION +NEXT +LAG +BEHIND +NEWEST +LATE +SET ASIDE\nclicks +push +2 +0 +0 s /);
    expect(await run('describe', 'clicks')).toMatch(/lateness +2h\n(.*\n)*.*lag_records +0\n/);
    expect((await json('list', 'sources')).rows[1]).toMatchObject({ lag_records: null, partitions: 1, format: null });
  });

  it('what is set aside is shown with its reason', async () => {
    const report = await json('source', 'set-aside', 'clicks');
    expect(report).toMatchObject({ source: 'clicks', total: 1, removed: 0 });
    expect(report.events[0]).toMatchObject({ partition: 'push', offset: '0', encoding: 'utf8', is_truncated: false });
    expect(report.events[0].reason).toMatch(/^the event is 3\d\d\d s ahead of the server's clock/);
    expect(JSON.parse(report.events[0].value)).toMatchObject({ user_id: '3', seconds: 4.5 });
    expect((await json('source', 'set-aside', 'clicks', '--reason', 'no such')).events).toEqual([]);
    expect(await run('source', 'set-aside', 'orders')).toBe('no event of orders is set aside\n');
    expect((await runCommand(['source', 'set-aside', 'clicks', '--limit', '0'], { directory })).status).toBe(2);
  });

  it('states are made anew from history', async () => {
    expect(await json('replay', 'clicks')).toMatchObject({ source: 'clicks', views: [{ view: 'activity', keys: 3 }] });
    expect(await refused('replay', 'clicks', '--from', '2026-02-01T00:00:00Z', '--to', '2026-01-01T00:00:00Z')).toContain(
      'the second must be later',
    );
    expect(await refused('source', 'reset', 'clicks', '--from', 'latest')).toContain('it only takes pushes');
    expect((await runCommand(['source', 'reset', 'orders', '--from', 'today'], { directory })).status).toBe(2);
  });
});

describe('with a server', () => {
  let server: ServerProcess;
  let python: PythonProcess;
  const there: string[] = [];
  const streams = async () => {
    const { status, text } = await call(`${server.http}/api/v1/streams`);
    expect(status, text).toBe(200);
    return (JSON.parse(text) as { streams: ShownStream[] }).streams;
  };
  const pushed = (rows: object, key?: string) =>
    post(`${server.http}/api/v1/push`, { source: 'clicks', rows, ...(key === undefined ? {} : { idempotency_key: key }) });

  beforeAll(async () => {
    server = await startServer(directory);
    there.push('--url', server.url);
    python = startPython(fileURLToPath(new URL('./client.py', import.meta.url)), { FEATHERFLIGHT_URL: server.url });
  });
  afterAll(async () => {
    await python?.kill();
    await server?.stop();
  });

  it('tells of partitions, lag, counts and what it did since it started', async () => {
    const event = { user_id: [7, 7], seconds: [1, 3], kind: ['view', 'click'], at: [ago(2), ago(1)] };
    expect((await pushed(event, 'first')).json()).toEqual({ rows: 2, appended: true });
    expect((await pushed(event, 'first')).json()).toEqual({ rows: 2, appended: false });
    await expect.poll(async () => (await streams())[0]?.partitions[0]?.events).toBe(5);
    const [clicks, orders] = await streams();
    expect(clicks).toMatchObject({
      ...{ source: 'clicks', error: null, log_error: null },
      partitions: [{ partition: 'push', next: '3', end: '3', lag_records: 0, lag_seconds: 0, late: 1, set_aside: 1 }],
      since_start: { applied: 2, too_late: 0, erased: 0, batches: 1, last_batch: { records: 1, seconds: expect.any(Number) } },
    });
    expect(clicks?.since_start?.largest_state_bytes).toBeGreaterThan(0);
    expect(orders?.log_error).toContain('cannot be asked');
    const one = await call(`${server.http}/api/v1/streams/clicks`);
    expect(one.json()).toMatchObject({ source: 'clicks' });
    expect((await call(`${server.http}/api/v1/streams/click`)).json()).toMatchObject({
      error: { code: 'NOT_FOUND', message: expect.stringContaining('did you mean "clicks"') },
    });
    const source = (await call(`${server.http}/api/v1/sources/clicks`)).json();
    expect(source).toMatchObject({ lag_records: 0, lag_seconds: 0, partitions: 1, lateness: '2h', stream: null });
    expect(await run('source', 'list', ...there)).toMatch(/clicks +push +3 +0 +0 s /);
  });

  it("has today's fitted default for who has no events", async () => {
    // Means of users 1, 2, 4 by the midnight that began today: of what is two days old and older.
    const asked = ['--entities', '{"user_id": ["999"]}', '--features', 'activity:mean_seconds', ...there];
    const read = async () => (await json('get-online-features', ...asked)).columns.mean_seconds;
    await expect.poll(async () => (await read()).is_default).toEqual([true]);
    const { values } = await read();
    const trained = await python.run(`
import datetime as dt
frame = pa.table({"user_id": [999], "event_timestamp": pa.array([dt.datetime.now(dt.timezone.utc)], pa.timestamp("us", tz="UTC"))})
store.get_historical_features(frame, ["activity:mean_seconds"]).to_arrow()["mean_seconds"].to_pylist()`);
    expect(values).toEqual(trained);
  });

  it('shows what was set aside over HTTP, Flight and the command line alike', async () => {
    const wrong = { user_id: [8], seconds: [1], kind: ['view'], at: [ago(-2 * hour)] };
    expect((await pushed(wrong)).json()).toEqual({ rows: 1, appended: true });
    const of = (query: string) => call(`${server.http}/api/v1/streams/clicks/set-aside${query}`);
    await expect.poll(async () => ((await of('')).json() as { total: number }).total).toBe(2);
    const { events } = (await of('?limit=1')).json() as { events: { offset: string; value: string }[] };
    expect(events).toHaveLength(1);
    expect(JSON.parse(events[0]?.value as string)).toMatchObject({ user_id: '8' });
    expect((await of('?reason=nothing')).json()).toMatchObject({ events: [], total: 2 });
    expect((await of('?partition=1')).json()).toMatchObject({ total: 0 });
    expect((await of('?limit=0')).status).toBe(400);
    expect((await of('?limt=5')).json()).toMatchObject({ error: { message: expect.stringContaining('did you mean "limit"') } });
    expect((await of('?limit=5&limit=6')).status).toBe(400);
    expect(await json('source', 'set-aside', 'clicks', ...there)).toEqual((await of('?limit=20')).json());
    expect(await run('source', 'set-aside', 'clicks', ...there)).toContain('\npartition push, offset 3, at 20');
  });

  it('has metrics of each', async () => {
    const page = (await call(`${server.http}/metrics`)).text;
    const value = (name: string, labels = 'source="clicks",partition="push"') => {
      const line = page.split('\n').find((each) => each.startsWith(`featherflight_stream_${name}{${labels}} `));
      return line === undefined ? undefined : Number(line.split(' ').at(-1));
    };
    expect(value('lag_records')).toBe(0);
    expect(value('lag_seconds')).toBe(0);
    expect(value('freshness_seconds')).toBeGreaterThan(0);
    expect(value('records_total')).toBe(4);
    expect(value('events_total')).toBe(5);
    expect(value('late_total')).toBe(1);
    expect(value('set_aside_total')).toBe(2);
    expect(value('duplicates_total')).toBe(0);
    const own = 'source="clicks"';
    expect(value('up', own)).toBe(1);
    expect(value('up', 'source="orders"')).toBe(0);
    for (const name of ['applied_total', 'batches_total']) expect(value(name, own), name).toBe(2);
    for (const name of ['too_late_total', 'erased_total', 'oversized_states_total', 'spilled_states'])
      expect(value(name, own), name).toBe(0);
    for (const name of ['batch_seconds_total', 'last_batch_seconds', 'largest_state_bytes'])
      expect(value(name, own), name).toBeGreaterThan(0);
  });

  it('replays and resets by who may', async () => {
    const replayed = await post(`${server.http}/api/v1/streams/clicks/replay`, {});
    expect(replayed.json()).toMatchObject({ source: 'clicks', views: [{ view: 'activity', features: ['n', 'mean_seconds'] }] });
    expect(await json('replay', 'clicks', '--from', ago(day), ...there)).toMatchObject({ views: [{ view: 'activity' }] });
    expect(await served(7, ...there)).toEqual(['2', 2, false]);
    const reset = (body: object) => post(`${server.http}/api/v1/streams/orders/reset`, body);
    expect((await reset({ from: 'yesterday' })).status).toBe(400);
    expect((await reset({ from: { 0: 'x' } })).json()).toMatchObject({
      error: { message: expect.stringContaining('no offset') },
    });
    expect((await reset({ from: { 0: 12 } })).status).toBe(503);
    expect(await refused('source', 'reset', 'clicks', '--from', 'earliest', ...there)).toContain('it only takes pushes');
    // Without the server's say nobody changes what it is changing.
    expect(await refused('replay', 'clicks')).toContain('is held by');
    expect(await refused('push', 'clicks', 'new.csv')).toContain('is held by');
  });

  it('takes events from clients, once', async () => {
    const frame = `frame = pd.DataFrame({"user_id": [20, 20], "seconds": [1.0, 2.0], "kind": ["view", None], "at": pd.Timestamp.now(tz="UTC")})`;
    expect(await python.run(`${frame}\nstore.push("clicks", frame)`)).toEqual({ rows: 2, appended: true });
    const again = 'store.push("clicks", frame, idempotency_key="k")';
    expect(await python.run(`[${again}, ${again}]`)).toEqual([
      { rows: 2, appended: true },
      { rows: 2, appended: false },
    ]);
    await expect.poll(async () => await served(20, ...there)).toEqual(['4', 1.5, false]);
    const table = `t = store.streams(); [t.names, t["clicks/push"]["lag_records"], t.to_arrow().schema.field("late").type.bit_width, "clicks/push" in str(t), len(t.to_pandas())]`;
    expect(await python.run(table)).toEqual([['clicks/push', 'orders/push'], 0, 64, true, 2]);
    const client = new FeatherflightClient({ url: server.http });
    try {
      const rows = { user_id: [21n], seconds: [1], kind: ['view'], at: [ago(1)] };
      expect(await client.push('clicks', rows)).toEqual({ rows: 1, appended: true });
      await expect.poll(async () => await served(21, ...there)).toEqual(['1', 1, false]);
      expect((await client.streams()).map(({ source }) => source)).toEqual(['clicks', 'orders']);
    } finally {
      await client.close();
    }
  });

  it('takes events over Flight, a batch at a time, each acknowledged when it is durable', async () => {
    const put = (key: string, kind = 'view') => `
table = pa.table({"user_id": pa.array([30, 30, 31, None], pa.int32()), "seconds": [1.5, None, float("nan"), 1.0],
    "kind": pa.array(["${kind}", None, "click", "view"]).dictionary_encode(),
    "at": pa.array([dt.datetime.now(dt.timezone.utc)] * 4, pa.timestamp("ns", "UTC"))})
client = fl.connect(os.environ["FEATHERFLIGHT_URL"])
command = {"type": "push", "source": "clicks", "idempotency_key": "${key}"}
writer, reader = client.do_put(fl.FlightDescriptor.for_command(json.dumps(command)), table.schema)
answers = []
if "${kind}" == "view":
    for batch in table.to_batches(max_chunksize=2):
        writer.write_batch(batch)
        answers.append(json.loads(reader.read().to_pybytes()))
else:  # closing says what is wrong
    writer.write_table(table)
writer.close()
client.close()
answers`;
    await python.run('import datetime as dt');
    const appended = { rows: 2, appended: true };
    expect(await python.run(put('flight'))).toEqual([appended, appended]);
    expect(await python.run(put('flight'))).toEqual([
      { ...appended, appended: false },
      { ...appended, appended: false },
    ]);
    await expect.poll(() => served(30, ...there)).toEqual(['2', 1.5, false]);
    await expect.poll(() => served(31, ...there)).toEqual(['1', 'NaN', false]);
    await expect(python.run(put('wrong', 'clik'))).rejects.toThrow(/source "clicks" does not take these events.*"clik"/);
  });

  it('tells what applying fills, and serves it from then on', async () => {
    const more = definitions.replace('features: { n:', "features: { total: sum('seconds', { window: '30d' }), n:");
    writeFileSync(join(directory, 'features/clicks.ts'), more.replace('mean, stream', 'mean, sum, stream'));
    const fills = [{ view: 'activity', source: 'clicks', features: ['total'] }];
    const planned = await post(`${server.http}/api/v1/plan`, {});
    expect(planned.json()).toMatchObject({ changes: [{ name: 'activity', fills }] });
    const note = '! filled from history before they are served: total; the stream of clicks rests meanwhile';
    expect(await run('plan', ...there)).toContain(note);
    expect(await run('apply', '--yes', ...there)).toContain(note);
    const asked = ['--features', 'activity:total', '--entities', '{"user_id": ["20"]}', ...there];
    await expect.poll(async () => (await json('get-online-features', ...asked)).columns.total.values).toEqual([6]);
  });

  it('describes all of it for programs', async () => {
    const { paths } = (await call(`${server.http}/openapi.json`)).json() as { paths: Record<string, Record<string, unknown>> };
    const { get } = paths['/api/v1/streams/{source}/set-aside'] as { get: { parameters: { name: string; in: string }[] } };
    expect(get.parameters.map(({ name, in: where }) => `${where} ${name}`)).toEqual([
      'path source',
      'query limit',
      'query partition',
      'query reason',
    ]);
  });
});

describe('a server with tokens', () => {
  it('lets each do what its scope and views allow', async () => {
    const server = await startServer(directory);
    try {
      const make = async (request: object, token?: string) => {
        const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
        const made = await post(`${server.http}/api/v1/tokens`, request, headers);
        return (made.json() as { token: string }).token;
      };
      const admin = await make({ scopes: ['admin'] });
      const tokens = {
        admin,
        online: await make({ scopes: ['read-online'] }, admin),
        offline: await make({ scopes: ['read-offline'] }, admin),
        other: await make({ scopes: ['admin'], views: ['spending'] }, admin),
      };
      const ask = async (name: keyof typeof tokens, path: string, body?: object) => {
        const headers = { authorization: `Bearer ${tokens[name]}` };
        const sent = body === undefined ? { headers } : { headers, body: JSON.stringify(body) };
        return (await call(`${server.http}/api/v1/streams${path}`, sent)).status;
      };
      expect((await call(`${server.http}/api/v1/streams`)).status).toBe(401);
      const allowed = async (path: string, body?: object) =>
        await Promise.all((Object.keys(tokens) as (keyof typeof tokens)[]).map((name) => ask(name, path, body)));
      expect(await allowed('')).toEqual([200, 200, 200, 200]);
      expect(await allowed('/clicks/set-aside')).toEqual([200, 403, 200, 403]);
      const puts = `
def put(token):
    options = fl.FlightCallOptions(headers=[(b"authorization", b"Bearer " + token.encode())])
    client = fl.connect("${server.url}")
    table = pa.table({"user_id": [1], "at": ["2026-01-01T00:00:00Z"]})
    command = {"type": "push", "source": "clicks"}
    try:
        writer, reader = client.do_put(fl.FlightDescriptor.for_command(json.dumps(command)), table.schema, options)
        writer.write_table(table)
        writer.close()
        return "taken"
    except fl.FlightUnauthorizedError:
        return "refused"
    finally:
        client.close()`;
      const python = startPython(fileURLToPath(new URL('./client.py', import.meta.url)), {
        FEATHERFLIGHT_URL: server.url,
        FEATHERFLIGHT_TOKEN: admin,
      });
      try {
        await python.run(puts);
        const put = (name: keyof typeof tokens) => python.run(`put("${tokens[name]}")`);
        expect(await Promise.all([put('admin'), put('offline'), put('other')])).toEqual(['taken', 'refused', 'refused']);
      } finally {
        await python.kill();
      }
      expect(await allowed('/clicks/replay', {})).toEqual([200, 403, 403, 403]);
      expect(await allowed('/clicks/reset', { from: 'latest' })).toEqual([409, 403, 403, 403]);
    } finally {
      await server.stop();
    }
  });
});
