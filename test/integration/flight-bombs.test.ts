/** Frames of few bytes that would take a server's memory or time: they are refused or wait, and others are served. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { peakResidentMiB, readUsage } from '../support/process-usage.ts';
import { type PythonProcess, startPython } from '../support/start-python.ts';
import { type ServerProcess, startServer } from '../support/start-server.ts';
import { makeStore } from './make-store.ts';

const prelude = fileURLToPath(new URL('./client.py', import.meta.url));
let server: ServerProcess;
let python: PythonProcess;
let attacker: PythonProcess;

beforeAll(async () => {
  server = await startServer(await makeStore({ config: { flight: { limits: { maxConcurrentQueries: 1 } } } }));
  [python, attacker] = [connect(), connect()];
  await python.run('still_works()');
});

afterAll(async () => {
  await attacker?.kill();
  await python?.close();
  expect(await server?.stop()).toEqual({ status: 0, signal: null });
  expect(server.log()).not.toMatch(/"level":[56]0/);
});

function connect(): PythonProcess {
  return startPython(prelude, { FEATHERFLIGHT_URL: server.url });
}

describe('rows without bytes', () => {
  it('are refused by number, uploaded and exchanged, and some of them are answered', async () => {
    const code = `
      at = dict(at="2026-03-03T12:00:00Z", timestamp="none")
      nulls = pa.table({"user_id": pa.nulls(2**31 - 1)})
      [refused(lambda: put(nulls)), refused(lambda: exchange(nulls, **at))]`;
    for (const error of (await python.run(code)) as { code: string; message: string }[]) {
      expect(error.code).toBe('INVALID_ARGUMENT');
      expect(error.message).toContain('2147483647 rows');
    }
    expect(await python.run('still_works()')).toBe('works');
    expect(
      await python.run('exchange(frame_of := pa.table({"user_id": np.arange(3), "rest": pa.nulls(3)}), **at).num_rows'),
    ).toBe(3);
  });
});

describe('bodies that unfold', () => {
  it.each(['lz4', 'zstd'])('further than one batch may (%s) are refused', async (codec) => {
    const code = `
      write_options = pa.ipc.IpcWriteOptions(compression="${codec}")
      zeros = pa.array(np.zeros(40_000_000))
      bomb = pa.table({"user_id": pa.array(np.zeros(40_000_000, "i8")), "zeros": zeros})
      def put_bomb():
          writer, reader = raw.do_put(command(type="upload"), bomb.schema, fl.FlightCallOptions(write_options=write_options))
          writer.write_table(bomb)
          writer.done_writing()
          reader.read()
          writer.close()
      [refused(put_bomb)["code"], refused(lambda: exchange(bomb, write_options=write_options, at="2026-03-03T12:00:00Z"))["code"]]`;
    expect(await attacker.run(code)).toEqual(['RESOURCE_EXHAUSTED', 'RESOURCE_EXHAUSTED']);
    expect(await python.run('still_works()')).toBe('works');
  });

  it('as far as they may, from eight connections that do not read, share the memory, and others are served', async () => {
    await attacker.run(`
      del bomb, zeros
      large = pa.table({"user_id": pa.array(np.zeros(14_000_000, "i8")), "zeros": pa.array(np.zeros(14_000_000))}).combine_chunks()
      calls = []
      def hold(codec):
          own = fl.FlightClient(os.environ["FEATHERFLIGHT_URL"], generic_options=[("grpc.enable_http_proxy", 0)])
          writer, reader = own.do_exchange(request(at="2026-03-03T12:00:00Z"))
          writer.begin(large.schema, options=pa.ipc.IpcWriteOptions(compression=codec))
          writer.write_batch(large.to_batches()[0])
          writer.done_writing()
          calls.append((own, writer, reader))`);
    const before = readUsage(server.pid).residentMiB;
    const peak = await peakResidentMiB(server.pid, async () => {
      for (let call = 0; call < 8; call++) await attacker.run(`hold("${call % 2 ? 'lz4' : 'zstd'}")`);
      for (let round = 0; round < 3; round++) expect(await python.run('still_works()')).toBe('works');
      const compressed = 'exchange(many(300_000)[0], write_options=pa.ipc.IpcWriteOptions(compression="zstd"))';
      expect(await python.run(`all_right(${compressed}, many(300_000)[1])`)).toBe(true);
    });
    expect(peak).toBeLessThan(before + 1300);
    await attacker.run('for _, _, reader in calls: reader.cancel()');
    expect(await python.run('still_works()')).toBe('works');
  });
});

describe('checks of a ticket', () => {
  it('that must read the frame count as queries, and those that need not do not', async () => {
    const directory = await makeStore({ config: { flight: { limits: { maxQueriesPerToken: 1 } } } });
    const own = await startServer(directory);
    const client = startPython(prelude, { FEATHERFLIGHT_URL: own.url });
    const code = `
      import pyarrow.parquet as pq
      pq.write_table(pa.Table.from_pandas(frame()), "${join(directory, 'frames/frame.parquet')}")
      def unsigned(*users): return put(pa.Table.from_pandas(frame(users=np.array(users, "u8"))))["upload"]
      def check(**named): return raw.get_flight_info(request(**named)).total_records
      plain, read, wrong = put(pa.Table.from_pandas(frame()))["upload"], unsigned(1, 2), unsigned(1, 2**63)
      free = [check(upload=plain), check(upload=read), check(path="frames/frame.parquet"), refused(lambda: check(upload=wrong))["code"]]
      held = store.get_historical_features(many(1_000_000, columns=8)[0], ["user_profile:age"]).to_batches()
      held.read_next_batch()
      taken = [check(upload=plain), refused(lambda: check(upload=read))["code"], refused(lambda: check(path="frames/frame.parquet"))["code"]]
      [free, taken]`;
    expect(await client.run(code)).toEqual([
      [3, 2, 3, 'INVALID_ARGUMENT'],
      [3, 'RESOURCE_EXHAUSTED', 'RESOURCE_EXHAUSTED'],
    ]);
    await client.kill();
    await own.stop();
  });
});
