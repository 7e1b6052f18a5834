/** How servers end: drained by SIGTERM, or killed at any moment and started again over what they left. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { runProgram } from '../support/run-program.ts';
import { type PythonProcess, startPython } from '../support/start-python.ts';
import { applyRepository, cliPath, freePorts, type ServerProcess, startServer } from '../support/start-server.ts';
import { expectRefusal } from './expect-refusal.ts';
import { makeStore } from './make-store.ts';

const prelude = fileURLToPath(new URL('./client.py', import.meta.url));
const opened: { end(): Promise<unknown> }[] = [];

afterAll(async () => {
  for (const each of opened.reverse()) await each.end();
});

async function serve(directory: string): Promise<ServerProcess> {
  const server = await startServer(directory);
  opened.push({ end: () => server.stop('SIGKILL') });
  return server;
}

function connect(server: ServerProcess): PythonProcess {
  const python = startPython(prelude, { FEATHERFLIGHT_URL: server.url });
  opened.push({ end: () => python.kill() });
  return python;
}

const waitMs = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const drafts = (directory: string) => {
  const { projections, spill } = { projections: '.featherflight/projections', spill: '.featherflight/spill' };
  return [
    ...readdirSync(join(directory, projections)).filter((name) => name.includes('draft')),
    // The server's own folder is the one that stays.
    ...readdirSync(join(directory, spill)).slice(1),
  ];
};

describe('SIGTERM', () => {
  it('lets a running answer be read to its end, takes nothing new, and ends with status 0', async () => {
    const server = await serve(await makeStore());
    const python = connect(server);
    await python.run(`
      table, expected = many(600_000, columns=8)
      reader = store.get_historical_features(table, ["user_profile:age"], batch_rows=20_000).to_batches()
      first = reader.read_next_batch()`);
    const stopped = server.stop();
    await waitMs(500);
    const late = startPython(prelude, { FEATHERFLIGHT_URL: server.url });
    await expect(late.run('1')).rejects.toThrow(/UnavailableError|no answer from/);
    expect(await python.run('all_right(pa.Table.from_batches([first, *reader]), expected)')).toBe(true);
    expect(await stopped).toEqual({ status: 0, signal: null });
    const { type } = await expectRefusal(python, 'ask()');
    expect(type).toBe('UnavailableError');
  });

  it('waits only so long for a client that does not read', async () => {
    const server = await serve(await makeStore({ config: { flight: { limits: { drainSeconds: 1 } } } }));
    const python = connect(server);
    await python.run(`
      # More than all that lies between them can hold.
      reader = store.get_historical_features(many(900_000, columns=16)[0], ["user_profile:age"]).to_batches()
      reader.read_next_batch().num_rows`);
    const begun = performance.now();
    expect(await server.stop()).toEqual({ status: 0, signal: null });
    expect(performance.now() - begun).toBeLessThan(6_000);
    const { type } = await expectRefusal(python, 'reader.read_all()');
    expect(type).toBe('UnavailableError');
  });

  it('in the middle of reading a source leaves no draft and no spill', async () => {
    const directory = await makeStore({ config: { flight: { limits: { drainSeconds: 0.2 } } }, events: 3_000_000 });
    const server = await serve(directory);
    const python = connect(server);
    await python.run('job = store.get_historical_features(frame(), ["activity:a"])');
    const answer = python.run('job.to_arrow()').catch((error: Error) => error.message);
    await waitMs(600);
    expect(await server.stop()).toEqual({ status: 0, signal: null });
    expect(await answer).toContain('shutting down');
    expect(drafts(directory)).toEqual([]);
    expect(readdirSync(join(directory, '.featherflight/spill'))).toEqual([]);
  });
});

describe('one state', () => {
  it('has one writer: a second server, an apply, are refused and told who holds it', async () => {
    const directory = await makeStore();
    const server = await serve(directory);
    const second = await runProgram(process.execPath, [cliPath, '-C', directory, 'serve'], { environment: freePorts });
    expect(second.status).toBe(1);
    expect(second.stderr).toContain(`process ${server.pid}`);
    const apply = await runProgram(process.execPath, [cliPath, '-C', directory, 'apply', '--yes']);
    expect(apply.status).toBe(1);
    expect(apply.stderr).toContain(`process ${server.pid}`);
    await server.stop('SIGKILL');
    await applyRepository(directory);
    const third = await serve(directory);
    expect(await connect(third).run('still_works()')).toBe('works');
    expect(await third.stop()).toEqual({ status: 0, signal: null });
  });
});

describe('what is kept of sources', () => {
  it('stays over a restart for views that are applied, and goes for those that are no more', async () => {
    const directory = await makeStore();
    const server = await serve(directory);
    expect(await connect(server).run('ask(frame(), ["user_profile:age"]).num_rows > 0')).toBe(true);
    expect(await server.stop()).toEqual({ status: 0, signal: null });
    const kept = join(directory, '.featherflight/projections');
    const before = readdirSync(kept);
    expect(before).toEqual([expect.stringMatching(/^user_profile-/)]);
    mkdirSync(join(kept, 'user_profiles-0123456789abcdef'));
    await serve(directory);
    expect(readdirSync(kept)).toEqual(before);
  });
});

describe('kill -9', () => {
  it('at any moment of reading a source leaves nothing half-written that a next server would use', async () => {
    const directory = await makeStore({ events: 2_000_000 });
    const before = await serve(directory);
    const python = connect(before);
    await python.run('1');
    await before.stop('SIGKILL');
    for (const ms of [150, 600, 1100]) {
      const server = await serve(directory);
      await python.run(`connect("${server.url}")`);
      await python.run('job = store.get_historical_features(frame(), ["activity:a", "user_profile:age"])');
      const answer = python.run('job.to_arrow().num_rows').catch((error: Error) => error.message);
      await waitMs(ms);
      await server.stop('SIGKILL');
      await answer;
    }
    const server = await serve(directory);
    expect(drafts(directory)).toEqual([]);
    await python.run(`connect("${server.url}")`);
    expect(
      await python.run(`
        table = ask(frame(users=range(2000, 2100), day=30), ["activity:a", "activity:b", "activity:c"], statuses=True)
        import pyarrow.dataset as ds
        events = ds.dataset("${directory}/data/events").to_table(filter=(ds.field("user_id") >= 2000) & (ds.field("user_id") < 2100)).to_pandas()
        events = events[events.event_timestamp <= pd.Timestamp("2026-03-30 12:00Z")]
        newest = events.sort_values(["event_timestamp", "a"]).groupby("user_id").tail(1).set_index("user_id")
        got = table.to_pandas().set_index("user_id")
        [len(got), bool((got.a__event_timestamp == newest.event_timestamp.reindex(got.index)).all()), bool((got.a == newest.a.reindex(got.index)).all())]`),
    ).toEqual([100, true, true]);
  });

  it('in the middle of an upload leaves no upload; one that was confirmed is there after it', async () => {
    const directory = await makeStore();
    const uploads = join(directory, '.featherflight/storage/uploads');
    const server = await serve(directory);
    const python = connect(server);
    const kept = (await python.run(`
      kept = put(pa.Table.from_pandas(frame(), preserve_index=False))["upload"]
      ticket = raw.get_flight_info(request(upload=kept)).endpoints[0].ticket.ticket
      table, _ = many(500_000, columns=8)
      writer, reader = raw.do_put(command(type="upload"), table.schema)
      for batch in table.to_batches(max_chunksize=50_000): writer.write_batch(batch)
      [kept, ticket.decode()]`)) as [string, string];
    await waitMs(300);
    await server.stop('SIGKILL');
    const files = readdirSync(uploads);
    expect(files.filter((name) => name.endsWith('.json'))).toEqual([`${kept[0]}.json`]);
    const half = files.find((name) => !name.startsWith(kept[0]))?.slice(0, 32);
    expect(half).toBeDefined();
    const next = connect(await serve(directory));
    expect(await next.run(`raw.get_flight_info(request(upload="${kept[0]}")).total_records`)).toBe(3);
    expect(await next.run(`raw.do_get(fl.Ticket(b"${kept[1]}")).read_all().column("age").to_pylist()`)).toEqual([13, 23, 33]);
    expect(await next.run(`refused(lambda: raw.get_flight_info(request(upload="${half}")))`)).toMatchObject({
      code: 'NOT_FOUND',
    });
  });
});

describe('uploads', () => {
  it('that expired are refused by that name, and sent again by the Python client where it can', async () => {
    const directory = await makeStore();
    const uploads = join(directory, '.featherflight/storage/uploads');
    const python = connect(await serve(directory));
    const expireAll = () => {
      for (const name of readdirSync(uploads).filter((each) => each.endsWith('.json'))) {
        const facts = JSON.parse(readFileSync(join(uploads, name), 'utf8'));
        writeFileSync(join(uploads, name), JSON.stringify({ ...facts, expiresAtMs: Date.now() - 1 }));
      }
    };
    const upload = await python.run(`
      again = store.get_historical_features(frame(), ["user_profile:age"])
      reader = pa.RecordBatchReader.from_stream(pa.Table.from_pandas(frame()))
      once = store.get_historical_features(reader, ["user_profile:age"])
      upload = put(pa.Table.from_pandas(frame()))["upload"]
      info = raw.get_flight_info(request(upload=upload))
      upload`);
    expireAll();
    const gone = { code: 'NOT_FOUND', message: expect.stringContaining(`upload expired: "${upload}"`), details: { upload } };
    expect(await python.run('refused(lambda: raw.get_flight_info(request(upload=upload)))')).toMatchObject(gone);
    expect(await python.run('refused(lambda: raw.do_get(info.endpoints[0].ticket).read_all())')).toMatchObject(gone);
    expect(await python.run('ages(again.to_arrow())')).toEqual([13, 23, 33]);
    const { type, message } = await expectRefusal(python, 'once.to_arrow()');
    expect(type).toBe('NotFoundError');
    expect(message).toContain('expired');
  });
});
