/** What the server takes at once: turns, queues, times and sizes, and how soon it is rid of a query that nobody wants. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type PythonProcess, startPython } from '../support/start-python.ts';
import { type ServerProcess, startServer } from '../support/start-server.ts';
import { expectRefusal } from './expect-refusal.ts';
import { makeStore } from './make-store.ts';

const prelude = fileURLToPath(new URL('./client.py', import.meta.url));
const opened: { stop(): Promise<unknown> }[] = [];

afterAll(async () => {
  for (const each of opened.reverse()) await each.stop();
});

async function serve(directory: string): Promise<ServerProcess> {
  const server = await startServer(directory);
  opened.push(server);
  return server;
}

function connect(server: ServerProcess): PythonProcess {
  const python = startPython(prelude, { FEATHERFLIGHT_URL: server.url });
  opened.push({ stop: () => python.kill() });
  return python;
}

async function secondsOf(work: Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work;
  return (performance.now() - begun) / 1000;
}

const waitMs = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('with one turn', () => {
  let directory: string;
  let server: ServerProcess;
  let python: PythonProcess;
  let leaving: PythonProcess;

  beforeAll(async () => {
    const limits = {
      maxConcurrentQueries: 1,
      maxQueuedQueries: 1,
      maxQueriesPerToken: 2,
      queryTimeoutSeconds: 20,
      maxUploadBytes: 50_000_000,
    };
    directory = await makeStore({ config: { flight: { limits } }, events: 3_000_000 });
    server = await serve(directory);
    python = connect(server);
    await python.run('ask()');
  });

  beforeEach(() => {
    leaving = connect(server);
  });

  /** Opens a stream whose first batch is read and whose others wait for a reader who does not come. */
  const holdTurn = (client: PythonProcess) =>
    client.run(`
      job = store.get_historical_features(many(500_000, columns=8)[0], ["user_profile:age"])
      reader = job.to_batches()
      first = reader.read_next_batch()`);

  it('a client that does not read keeps nobody waiting, and reads on when it comes back', async () => {
    await holdTurn(leaving);
    expect(await secondsOf(expect(python.run('ages(ask())')).resolves.toEqual([13, 23, 33]))).toBeLessThan(3);
    expect(await python.run('still_works()')).toBe('works');
    expect(await leaving.run('first.num_rows + reader.read_all().num_rows')).toBe(500_000);
  });

  it('a client that does not send keeps nobody waiting, and sends on when it comes back', async () => {
    await leaving.run(`
      table, expected = many(2_000)
      writer, back = raw.do_exchange(request())
      writer.begin(table.schema)
      writer.write_table(table[:1_000])`);
    expect(await secondsOf(expect(python.run('ages(ask())')).resolves.toEqual([13, 23, 33]))).toBeLessThan(3);
    const code = `
      writer.write_table(table[1_000:])
      writer.done_writing()
      got = [chunk.data for chunk in back]
      all_right(pa.Table.from_batches(got), expected)`;
    expect(await leaving.run(code)).toBe(true);
  });

  it.each([
    ['its client dies', (client: PythonProcess) => client.kill()],
    [
      'its client cancels it',
      async (client: PythonProcess) => {
        await client.run('job.cancel()');
        await client.kill();
      },
    ],
    [
      'somebody cancels it by its id',
      async (client: PythonProcess, query: string) => {
        await python.run(`store._transport.cancel("${query}")`);
        await client.kill();
      },
    ],
  ])('the next query has it within a second when a source is being read and %s', async (_, leave) => {
    await leaving.run(`job = store.get_historical_features(frame(), ["activity:a"])`);
    const query = (await leaving.run('job._plan.query')) as string;
    await leaving.run(`
      def read():
          try: job.to_arrow()
          except ff.FeatherflightError as error: print(error)
      reading = threading.Thread(target=read, daemon=True)
      reading.start()`);
    await waitMs(600);
    const waiting = connect(server);
    await waiting.run('1');
    const next = waiting.run('ages(ask())');
    expect(await Promise.race([next, waitMs(300).then(() => 'waits')])).toBe('waits');
    const begun = performance.now();
    const left = leave(leaving, query);
    expect(await next).toEqual([13, 23, 33]);
    expect(performance.now() - begun).toBeLessThan(10_000);
    await left;
    await expect
      .poll(() => readdirSync(join(directory, '.featherflight/projections')).filter((name) => name.includes('draft')))
      .toEqual([]);
  });

  it('a third query is told when to come back, and may then', async () => {
    await leaving.run(`
      upload = put(many(300_000)[0])["upload"]
      ticket = raw.get_flight_info(request(upload=upload)).endpoints[0].ticket
      def ask_on():
          own = fl.connect(os.environ["FEATHERFLIGHT_URL"])
          while True:
              try: own.do_get(ticket).read_all()
              except (pa.ArrowException, fl.FlightError): pass
      for _ in range(6): threading.Thread(target=ask_on, daemon=True).start()`);
    const code = `
      told = None
      for _ in range(200):
          try: ask()
          except ff.ResourceExhaustedError as error:
              told = [error.code, error.details["retry_after_seconds"] > 0, error.retry_after_seconds == error.details["retry_after_seconds"], error.message]
              break
      told`;
    expect(await python.run(code)).toEqual(['RESOURCE_EXHAUSTED', true, true, expect.stringMatching(/quer.*try again in \d+ s/)]);
    await leaving.kill();
    await expect.poll(() => python.run('still_works()').catch((error: Error) => error.message)).toBe('works');
  });

  it('a frame that is larger than it may be is refused, and the next one is not', async () => {
    const { type, message } = await expectRefusal(python, 'ask(many(1_000_000, columns=8)[0])');
    expect(type).toBe('ResourceExhaustedError');
    expect(message).toContain('50000000 bytes');
    expect(message).toContain('maxUploadBytes');
    expect(await python.run('still_works()')).toBe('works');
  });

  it('the first reading of a source is done when somebody waits for it to its end', async () => {
    expect(await python.run(`ask(frame(users=[1, 2]), ["activity:c"]).num_rows`)).toBe(2);
  });
});

describe('the time of a query', () => {
  it('ends, waiting included, and its turn with it', async () => {
    const limits = { maxConcurrentQueries: 1, queryTimeoutSeconds: 4 };
    const server = await serve(await makeStore({ config: { flight: { limits } } }));
    const [holder, python] = [connect(server), connect(server)];
    await python.run('still_works()');
    await holder.run(`
      reader = store.get_historical_features(many(3_000_000, columns=8)[0], ["user_profile:age"]).to_batches()
      reader.read_next_batch().num_rows`);
    expect(await secondsOf(expect(python.run('ages(ask())')).resolves.toEqual([13, 23, 33]))).toBeLessThan(20);
    await sleep(4_000);
    const { type, message, details } = await expectRefusal(holder, 'reader.read_all()');
    expect(type).toBe('ResourceExhaustedError');
    expect(message).toContain('longer than the 4 s');
    expect(details).toHaveProperty('retry_after_seconds');
  });
});

describe('space', () => {
  it('for sorting that ends is a typed error that names the source, and the next request works', async () => {
    const directory = await makeStore({
      config: { offlineEngine: { kind: 'duckdb', threads: 2, memory: '40MB', spill: '1MB' } },
      events: 1_000_000,
    });
    const python = connect(await serve(directory));
    for (let round = 0; round < 2; round++) {
      const { type, message } = await expectRefusal(python, `ask(features=["activity:a", "activity:c"])`);
      expect(type).toBe('ResourceExhaustedError');
      expect(message).toContain('source "events"');
      expect(message).toMatch(/offlineEngine\.(memory|spill)/);
    }
    expect(await python.run('still_works()')).toBe('works');
    expect(readdirSync(join(directory, '.featherflight/projections')).filter((name) => name.includes('draft'))).toEqual([]);
  });

  it('for uploads that are kept ends with a time to come back', async () => {
    const limits = { maxStoredUploadBytes: 3_000_000 };
    const python = connect(await serve(await makeStore({ config: { flight: { limits } } })));
    expect(await python.run('ask(many(100_000)[0]).num_rows')).toBe(100_000);
    const { type, message, details } = await expectRefusal(python, 'ask(many(100_000)[0])');
    expect(type).toBe('ResourceExhaustedError');
    expect(message).toContain('uploads');
    expect(details).toHaveProperty('retry_after_seconds');
    expect(await python.run('still_works()')).toBe('works');
    expect(await python.run('exchange(many(100_000)[0]).num_rows')).toBe(100_000);
  });

  it.runIf(canMount())('on the disk itself: what does not fit says so, what fits works', async () => {
    const directory = await makeStore({ events: 300_000 });
    const [state, storage] = ['projections', 'storage'].map((name) => join(directory, '.featherflight', name)) as [
      string,
      string,
    ];
    for (const [path, size] of [
      [state, '6m'],
      [storage, '3m'],
    ] as const) {
      mkdirSync(path, { recursive: true });
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', path]);
      opened.push({ stop: async () => execFileSync('umount', [path]) });
    }
    const python = connect(await serve(directory));
    const source = await expectRefusal(python, `ask(features=["activity:a", "activity:c"])`);
    expect(source.type).toBe('ResourceExhaustedError');
    expect(source.message).toContain('source "events"');
    expect(source.message).toMatch(/disk/);
    const upload = await expectRefusal(python, 'ask(many(300_000)[0])');
    expect(upload.type).toBe('ResourceExhaustedError');
    expect(upload.message).toMatch(/disk/);
    expect(await python.run('still_works()')).toBe('works');
    expect(readdirSync(state).filter((name) => name.includes('draft'))).toEqual([]);
  });
});

function canMount(): boolean {
  return process.platform === 'linux' && process.getuid?.() === 0;
}
