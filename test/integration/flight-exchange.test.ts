/** DoExchange as clients use it: batch by batch in turn, all up before anything comes down, with errors, and left in the middle. */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { peakResidentMiB, readUsage } from '../support/process-usage.ts';
import { type PythonProcess, startPython } from '../support/start-python.ts';
import { type ServerProcess, startServer } from '../support/start-server.ts';
import { makeStore } from './make-store.ts';

const prelude = fileURLToPath(new URL('./client.py', import.meta.url));
const opened: { stop(): Promise<unknown> }[] = [];

afterAll(async () => {
  for (const each of opened.reverse()) await each.stop();
});

interface Served {
  readonly directory: string;
  readonly server: ServerProcess;
  readonly python: PythonProcess;
}

async function serve(options: Parameters<typeof makeStore>[0] = {}): Promise<Served> {
  const directory = await makeStore(options);
  const server = await startServer(directory);
  opened.push(server);
  const python = connect(server);
  await python.run(exchanges);
  return { directory, server, python };
}

function connect(server: ServerProcess): PythonProcess {
  const python = startPython(prelude, { FEATHERFLIGHT_URL: server.url });
  opened.push({ stop: () => python.kill() });
  return python;
}

const exchanges = `
  def open_exchange(table, **members):
      writer, reader = raw.do_exchange(request(**members))
      writer.begin(table.schema)
      return writer, reader

  def in_turn(table, rows, **members):
      """One batch up, one down; what comes after the last, and the report."""
      writer, reader = open_exchange(table, **members)
      got = []
      for start in range(0, table.num_rows, rows):
          writer.write_batch(table[start:start + rows].combine_chunks().to_batches()[0])
          got.append(reader.read_chunk().data)
      writer.done_writing()
      rest = list(reader)
      report = json.loads(rest[-1].app_metadata.to_pybytes())["report"]
      return pa.Table.from_batches(got), [chunk.data.num_rows for chunk in rest], report

  def all_up_first(table, rows=None):
      """Everything up, the end of it too, before anything is read."""
      writer, reader = open_exchange(table)
      for batch in table.combine_chunks().to_batches(max_chunksize=rows): writer.write_batch(batch)
      writer.done_writing()
      chunks = list(reader)
      return pa.Table.from_batches([chunk.data for chunk in chunks]), json.loads(chunks[-1].app_metadata.to_pybytes())["report"]

  def with_bad_row(table, row):
      text = pa.array([str(user) for user in table["user_id"].to_pylist()[:row]] + ["nobody"] * (table.num_rows - row))
      return table.set_column(0, "user_id", text)`;

describe('an exchange', () => {
  let served: Served;
  let python: PythonProcess;
  beforeAll(async () => {
    served = await serve({ config: { flight: { limits: { maxQueriesPerToken: 8 } } } });
    python = served.python;
  });

  const expectNothingLeft = async (before: { openFiles: number }) => {
    await expect
      .poll(() => readUsage(served.server.pid).openFiles, { timeout: 10_000 })
      .toBeLessThanOrEqual(before.openFiles + 1);
  };

  it('answers batch by batch a client that sends no more before it has read', async () => {
    const code = `
      table, expected = many(50 * 700, columns=2)
      answer, after, report = in_turn(table, 700)
      [all_right(answer, expected), answer.drop_columns(["age"]).equals(table), after, report["rows"], report["batches"]]`;
    expect(await python.run(code)).toEqual([true, true, [0], 35_000, 50]);
  });

  it('of no rows is one without rows, with its report', async () => {
    expect(await python.run('answer, report = all_up_first(table[:0])\n[answer.num_rows, report["rows"]]')).toEqual([0, 0]);
  });

  it('takes a million rows in one batch before any of the answer is read', async () => {
    const code = `
      large, large_ages = many(1_000_000, columns=4)
      answer, report = all_up_first(large)
      [all_right(answer, large_ages), report["rows"]]`;
    expect(await python.run(code)).toEqual([true, 1_000_000]);
  });

  it('takes 200 batches before any of the answer is read, in little memory, and leaves nothing behind', async () => {
    const before = readUsage(served.server.pid);
    const code = `
      long, long_ages = many(2_000_000, columns=8)
      def one(_): return all_right(all_up_first(long, 10_000)[0], long_ages)
      from concurrent.futures import ThreadPoolExecutor
      with ThreadPoolExecutor(3) as pool: right = all(pool.map(one, range(3)))`;
    await python.run(code);
    expect(await python.run('right')).toBe(true);
    const peak = await peakResidentMiB(served.server.pid, async () =>
      expect(await python.run('all_right(all_up_first(long, 10_000)[0], long_ages)')).toBe(true),
    );
    expect(peak).toBeLessThan(before.residentMiB + 400);
    await expectNothingLeft(before);
  });

  it('that is refused in the middle says so after the upload, however it is sent', async () => {
    const code = `
      bad = with_bad_row(long[:400_000], 250_000)
      [refused(lambda: all_up_first(bad, 2_000)), refused(lambda: all_up_first(bad)), refused(lambda: in_turn(with_bad_row(table, 20_000), 700))]`;
    for (const error of (await python.run(code)) as { code: string; message: string }[]) {
      expect(error.code).toBe('INVALID_ARGUMENT');
      expect(error.message).toContain('user_id');
    }
    expect(await python.run('still_works()')).toBe('works');
  });

  it('that names what does not exist is refused after a long upload', async () => {
    const code = `
      def ask_nothing():
          writer, reader = open_exchange(long, features=["user_profile:nothing"])
          for batch in long.to_batches(max_chunksize=10_000): writer.write_batch(batch)
          writer.done_writing()
          reader.read_all()
      refused(ask_nothing)["code"]`;
    expect(await python.run(code)).toBe('NOT_FOUND');
  });

  it('whose client leaves, cancels or dies in the middle leaves nothing behind', async () => {
    await python.run('still_works()');
    const before = readUsage(served.server.pid);
    await python.run(`
      def leave(batches, reads):
          writer, reader = open_exchange(long)
          for batch in long[:batches * 10_000].to_batches(max_chunksize=10_000): writer.write_batch(batch)
          for _ in range(reads): reader.read_chunk()
          reader.cancel()
      for batches, reads in ((1, 0), (1, 1), (100, 0), (100, 20), (200, 0)): leave(batches, reads)`);
    const dying = connect(served.server);
    await dying.run(exchanges);
    await dying.run(`
      long, _ = many(2_000_000, columns=8)
      writer, reader = open_exchange(long)
      for batch in long.to_batches(max_chunksize=10_000): writer.write_batch(batch)`);
    await dying.kill();
    await expectNothingLeft(before);
    expect(await python.run('still_works()')).toBe('works');
  });
});

describe('an exchange whose sources do not fit into memory', () => {
  it('answers what it has, rather than waiting for more from a client that waits for it', async () => {
    const { python } = await serve({ config: { offlineEngine: { kind: 'duckdb', threads: 2, cache: '2MB' } }, events: 300_000 });
    const code = `
      table, _ = many(2_000)
      names = ["activity:a", "activity:c", "user_profile:age"]
      answer, after, report = in_turn(table, 500, features=names)
      [answer.equals(ask(table, names)), after, report["rows"]]`;
    expect(await python.run(code)).toEqual([true, [0], 2_000]);
  });
});

describe('an exchange with little room in the storage', () => {
  it('holds back a client that does not read, and goes on when it does', async () => {
    const { python } = await serve({ config: { flight: { limits: { maxUploadBytes: 2_000_000 } } } });
    const code = `
      table, expected = many(1_500_000, columns=8)
      writer, reader = open_exchange(table)
      sent = 0
      def send():
          global sent
          for batch in table.to_batches(max_chunksize=10_000):
              writer.write_batch(batch)
              sent += batch.num_rows
          writer.done_writing()
      thread = threading.Thread(target=send)
      thread.start()
      time.sleep(2)
      held_back = sent < table.num_rows
      answer = reader.read_all()
      thread.join()
      [held_back, all_right(answer, expected)]`;
    expect(await python.run(code)).toEqual([true, true]);
  });
});
