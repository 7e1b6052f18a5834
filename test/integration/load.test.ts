/** Many clients at once, some of which leave in the middle: right answers, bounded memory, and nothing left behind. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { peakResidentMiB, readUsage } from '../support/process-usage.ts';
import { type PythonProcess, startPython } from '../support/start-python.ts';
import { type ServerProcess, startServer } from '../support/start-server.ts';
import { makeStore } from './make-store.ts';

const prelude = fileURLToPath(new URL('./client.py', import.meta.url));
let directory: string;
let server: ServerProcess;
let python: PythonProcess;

beforeAll(async () => {
  directory = await makeStore({ config: { flight: { limits: { maxConcurrentQueries: 2, maxQueuedQueries: 60 } } } });
  server = await startServer(directory);
  python = connect();
  await python.run(`
    import random
    from concurrent.futures import ThreadPoolExecutor
    large, large_ages = many(1_000_000, columns=8)

    def each(count, work, threads):
        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(work, range(count)))`);
});

afterAll(async () => {
  await python?.close();
  expect(await server?.stop()).toEqual({ status: 0, signal: null });
  expect(server.log()).not.toMatch(/"level":[56]0/);
});

const connect = () => startPython(prelude, { FEATHERFLIGHT_URL: server.url });

/** Two streams begin at once, which is as many as may: had a query been left running, one would wait until the other rests. */
async function expectFreeTurns(): Promise<void> {
  const code = `
    def begin_two():
        readers = [store.get_historical_features(large, ["user_profile:age"]).to_batches() for _ in range(2)]
        begun = time.monotonic()
        for reader in readers: reader.read_next_batch()
        return time.monotonic() - begun
    min(begin_two() for _ in range(4)) < 0.9`;
  expect(await python.run(code)).toBe(true);
}

function spilled(): string[] {
  const spills = join(directory, '.featherflight/spill');
  return readdirSync(spills).flatMap((name) => readdirSync(join(spills, name)));
}

async function expectSettled(before: { residentMiB: number; openFiles: number }): Promise<void> {
  await expect.poll(() => readUsage(server.pid).openFiles, { timeout: 5_000 }).toBeLessThanOrEqual(before.openFiles + 2);
  expect(readUsage(server.pid).residentMiB).toBeLessThan(before.residentMiB + 200);
  expect(spilled()).toEqual([]);
  expect(readdirSync(join(directory, '.featherflight/projections')).filter((name) => name.includes('draft'))).toEqual([]);
}

describe('many clients at once', () => {
  it('on one connection from several threads are each answered right', async () => {
    const code = `
      def one(index):
          table, expected = many(3_000 + index, seed=index)
          return all_right(ask(table, statuses=index % 3 == 0, compression=(None, "lz4", "zstd")[index % 3]), expected)
      all(each(60, one, threads=8))`;
    expect(await python.run(code)).toBe(true);
  });

  it('with a large frame each wait in turn, and the server stays within its memory', async () => {
    const code = `
      def one(index):
          with ff.connect(progress=False) as own:
              table, expected = many(300_000, seed=index, columns=4)
              return all_right(own.get_historical_features(table, ["user_profile:age", "user_profile:city"]).to_arrow(), expected)
      all(each(20, one, threads=20))`;
    const peak = await peakResidentMiB(server.pid, async () => expect(await python.run(code)).toBe(true));
    expect(peak).toBeLessThan(900);
  });

  it('may read slowly: what they do not read is not in memory', async () => {
    await python.run('ask(large).num_rows');
    const before = readUsage(server.pid).residentMiB;
    const code = `
      readers = [store.get_historical_features(large, ["user_profile:age"]).to_batches() for _ in range(2)]
      firsts = [reader.read_next_batch() for reader in readers]
      time.sleep(1.5)`;
    const peak = await peakResidentMiB(server.pid, () => python.run(code));
    expect(peak).toBeLessThan(before + 150);
    expect(
      await python.run(
        `all(all_right(pa.Table.from_batches([first, *reader]), large_ages) for first, reader in zip(firsts, readers))`,
      ),
    ).toBe(true);
    await python.run('del readers, firsts');
  });
});

describe('clients that leave', () => {
  it('in the middle of 100 streams, by cancelling or dropping them, leave nothing behind', async () => {
    const code = `
      dice = random.Random(7)
      plans = [(dice.choice(["cancel", "close", "drop", "exchange", "raw"]), dice.randrange(4), dice.random() * 0.05) for _ in range(100)]

      def leave(index):
          how, batches, pause = plans[index]
          if how == "exchange":
              writer, reader = raw.do_exchange(request(batch_rows=5_000))
              writer.begin(large.schema)
              writer.write_batch(large[:20_000].to_batches()[0])
              if batches: reader.read_chunk()
              reader.cancel()
              return 1
          if how == "raw":
              upload = put(large[:100_000])["upload"]
              reader = raw.do_get(raw.get_flight_info(request(upload=upload, batch_rows=1_000)).endpoints[0].ticket)
              for _ in range(batches): reader.read_chunk()
              reader.cancel()
              return 1
          job = store.get_historical_features(large[:300_000], ["user_profile:age", "user_profile:city"], batch_rows=10_000)
          reader = job.to_batches()
          for _ in range(batches): reader.read_next_batch()
          time.sleep(pause)
          if how == "cancel": job.cancel()
          if how == "close": reader.close()
          return 1

      def leave_all(count=100): return sum(each(count, leave, threads=8))`;
    await python.run(code);
    await python.run('leave_all(25)');
    const before = readUsage(server.pid);
    expect(await python.run('leave_all()')).toBe(100);
    await expectFreeTurns();
    await expectSettled(before);
    expect(await python.run('still_works()')).toBe('works');
  });

  it('by dying leave nothing behind', async () => {
    const before = readUsage(server.pid);
    for (let round = 0; round < 3; round++) {
      const client = connect();
      await client.run(`
        large, _ = many(400_000, columns=8)
        job = store.get_historical_features(large, ["user_profile:age"], batch_rows=5_000)
        reader = job.to_batches()
        reader.read_next_batch()
        writer, back = raw.do_exchange(request())
        writer.begin(large.schema)
        writer.write_batch(large.to_batches()[0])
        upload, _ = raw.do_put(command(type="upload"), large.schema)
        upload.write_batch(large.to_batches()[0])`);
      const last = client.run('ask(large).num_rows').catch((error: Error) => error.message);
      await new Promise((resolve) => setTimeout(resolve, 40 * round));
      await client.kill();
      expect(await last).toMatch(/SIGKILL/);
    }
    await expectFreeTurns();
    await expectSettled(before);
  });
});
