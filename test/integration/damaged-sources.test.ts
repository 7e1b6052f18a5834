/** Files that vanish, break, change or are replaced while the server reads them: a typed error by name, or right answers. */
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type PythonProcess, startPython } from '../support/start-python.ts';
import { type ServerProcess, startServer } from '../support/start-server.ts';
import { expectRefusal } from './expect-refusal.ts';
import { makeStore, users, writeTables } from './make-store.ts';

const prelude = fileURLToPath(new URL('./client.py', import.meta.url));
const first = 'data/users/part-0.parquet';
const second = 'data/users/part-1.parquet';
let directory: string;
let server: ServerProcess;
let python: PythonProcess;
const kept = new Map<string, string>();

beforeAll(async () => {
  directory = await makeStore();
  for (const path of [first, second, 'data/items/part-0.parquet', 'data/fares.csv']) {
    kept.set(path, `${path}.kept`);
    copyFileSync(join(directory, path), join(directory, `${path}.kept`));
  }
  server = await startServer(directory);
  python = startPython(prelude, { FEATHERFLIGHT_URL: server.url });
});

afterEach(async () => {
  for (const [path, copy] of kept) {
    rmSync(join(directory, path), { recursive: true, force: true });
    copyFileSync(join(directory, copy), join(directory, path));
  }
  expect(await python.run('still_works()')).toBe('works');
  expect(projections().filter((name) => name.includes('draft'))).toEqual([]);
});

afterAll(async () => {
  await python?.close();
  expect(await server?.stop()).toEqual({ status: 0, signal: null });
});

function projections(): string[] {
  return readdirSync(join(directory, '.featherflight/projections'));
}

const refusal = (code: string) => expectRefusal(python, code);

describe('a file that vanishes', () => {
  it('is named, as are the paths of a table that has none left', async () => {
    rmSync(join(directory, 'data/fares.csv'));
    const fare = await refusal(`ask(frame(trip=[1, 2, 3]), ["trip_fare:fare"])`);
    expect(fare.type).toBe('NotFoundError');
    expect(fare.message).toContain('source "fares"');
    expect(fare.message).toContain('data/fares.csv');
    rmSync(join(directory, first));
    rmSync(join(directory, second));
    const profile = await refusal('ask()');
    expect(profile.type).toBe('NotFoundError');
    expect(profile.message).toContain('source "user_profiles": no file matches "data/users/*.parquet"');
  });

  it('between the plan and the reading is named as well, and the job can be read when it is back', async () => {
    await python.run(`job = store.get_historical_features(frame(trip=[1, 2, 3]), ["trip_fare:fare"])`);
    rmSync(join(directory, 'data/fares.csv'));
    expect((await refusal('job.to_arrow()')).type).toBe('NotFoundError');
    copyFileSync(join(directory, 'data/fares.csv.kept'), join(directory, 'data/fares.csv'));
    expect(await python.run(`job.to_arrow().column("fare").to_pylist()`)).toEqual([1.5, null, null]);
  });

  it('leaves the others of its table, whose answer it no longer is in', async () => {
    expect(await python.run('ages(ask(frame(users=[1, 999])))')).toEqual([13, 9993]);
    rmSync(join(directory, second));
    expect(await python.run('ages(ask(frame(users=[1, 999])))')).toEqual([13, -1]);
  });
});

describe('a file that is broken', () => {
  it.each([
    ['cut short', (path: string) => truncateSync(path, 2000)],
    ['empty', (path: string) => truncateSync(path, 0)],
    ['text', (path: string) => writeFileSync(path, 'not found\n'.repeat(100))],
    ['without its head', (path: string) => writeFileSync(path, readFileSync(path).subarray(500))],
  ])('is named: %s', async (_, damage) => {
    damage(join(directory, second));
    const { type, message } = await refusal('ask()');
    expect(type).toBe('FailedPreconditionError');
    expect(message).toContain('source "user_profiles"');
    expect(message).toContain(second);
  });

  it('is named where a folder has its name', async () => {
    rmSync(join(directory, 'data/fares.csv'));
    mkdirSync(join(directory, 'data/fares.csv'));
    const { type, message } = await refusal(`ask(frame(trip=[1, 2, 3]), ["trip_fare:fare"])`);
    expect(type).toBe('FailedPreconditionError');
    expect(message).toBe('source "fares": "data/fares.csv" is no file');
  });

  it('half-way gives no answer rather than a shorter one, and leaves no projection', async () => {
    const path = join(directory, second);
    const before = projections();
    const bytes = readFileSync(path);
    // The footer stands; pages of the last row groups do not.
    bytes.fill(0xa5, Math.floor(bytes.length * 0.5), Math.floor(bytes.length * 0.75));
    writeFileSync(path, bytes);
    for (const code of ['ask()', 'ask(frame(users=[1]))', 'exchange(pa.Table.from_pandas(frame()))']) {
      const { message } = await refusal(code);
      expect(message).toContain('user_profiles');
    }
    const { type } = await refusal('ask()');
    expect(type).toBe('FailedPreconditionError');
    // What an upload began to read beforehand ends a moment later than the refusal.
    await expect.poll(projections).toEqual(before);
  });

  it('does not keep others from being read, nor the catalogue from being listed', async () => {
    truncateSync(join(directory, second), 100);
    expect(await python.run(`ask(frame(item_id=["item 1"] * 3), ["item_stats:clicks"]).column("clicks").to_pylist()`)).toEqual([
      3, 3, 3,
    ]);
    expect(await python.run(`sorted(store.feature_views().names)`)).toEqual(['item_stats', 'trip_fare', 'user_profile']);
    expect(await python.run(`store.feature_views()["user_profile"]["newest_event"]`)).toBeNull();
  });
});

describe('a file whose schema changes', () => {
  it.each([
    ['a feature is gone', users(500, 1000).replace('as age', 'as years'), /column "age"/],
    ['a feature has another type', users(500, 1000).replace('::integer as age', '::varchar as age'), /column "age".*VARCHAR/],
    ['a key has another type', users(500, 1000).replace('u::bigint as uid', 'u::varchar as uid'), /column "uid".*VARCHAR/],
    [
      'the time has no zone any more',
      users(500, 1000).replaceAll("timestamptz '", "timestamp '"),
      /column "event_timestamp".*TIMESTAMP/,
    ],
  ])('is refused by column, in one file of two or in both: %s', async (_, sql, message) => {
    await writeTables(directory, [[second, sql]]);
    const one = await refusal('ask()');
    expect(one.type).toBe('FailedPreconditionError');
    expect(one.message).toContain('user_profiles');
    await writeTables(directory, [[first, sql]]);
    const both = await refusal('ask()');
    expect(both.type).toBe('FailedPreconditionError');
    expect(both.message).toContain('source "user_profiles"');
    expect(both.message).toMatch(message);
    expect(both.message).toContain('apply');
  });

  it('in columns that no view uses changes nothing', async () => {
    const more = users(500, 1000).replace('from range', ', 1 as news from range');
    await writeTables(directory, [
      [second, more.replace('500, 1000', '0, 500')],
      [first, more],
    ]);
    expect(await python.run('ages(ask(frame(users=[1, 999])))')).toEqual([13, 9993]);
  });
});

describe('a file that is replaced', () => {
  it('is read anew: other answers, another identity, and the old ones again with the old file', async () => {
    const code = `
      job = store.get_historical_features(frame(users=[1, 999]), ["user_profile:age"])
      [ages(job.to_arrow()), job.report.identity]`;
    const [old, oldIdentity] = (await python.run(code)) as [number[], string];
    await writeTables(directory, [[second, users(500, 1000, 5)]]);
    const [fresh, freshIdentity] = (await python.run(code)) as [number[], string];
    expect([old, fresh]).toEqual([
      [13, 9993],
      [13, 9998],
    ]);
    expect(freshIdentity).not.toBe(oldIdentity);
  });

  it('after the plan was made is read as it is when the answer is read', async () => {
    await python.run('job = store.get_historical_features(frame(users=[1, 999]), ["user_profile:age"])');
    await writeTables(directory, [[second, users(500, 1000, 5)]]);
    expect(await python.run('ages(job.to_arrow())')).toEqual([13, 9998]);
  });

  it('while an answer streams leaves that answer whole, from the old file', async () => {
    await python.run(`
      table, expected = many(1_000_000)
      reader = store.get_historical_features(table, ["user_profile:age"], batch_rows=10_000).to_batches()
      first = reader.read_next_batch()`);
    await writeTables(directory, [
      [first, users(0, 500, 5)],
      [second, users(500, 1000, 5)],
    ]);
    expect(await python.run('ages(ask(frame(users=[1, 999])))')).toEqual([18, 9998]);
    expect(await python.run(`all_right(pa.Table.from_batches([first, *reader]), expected)`)).toBe(true);
  });

  it('again and again gives answers that are all of one state, or says that it changed', async () => {
    const scratch = join(directory, 'data/next.parquet');
    const states = [];
    for (const shift of [0, 1, 2, 3]) {
      await writeTables(directory, [['data/next.parquet', users(500, 1000, shift)]]);
      states.push(readFileSync(scratch));
    }
    let writing = true;
    const writer = (async () => {
      for (let round = 0; writing; round++) {
        writeFileSync(scratch, states[round % 4] as Buffer);
        renameSync(scratch, join(directory, second));
        await new Promise((resolve) => setTimeout(resolve, 25 + 25 * (round % 4)));
      }
    })();
    const code = `
      table, expected = many(2_000, seed=1)
      upper = np.asarray(table.column("user_id")) >= 500
      seen, changed = [], 0
      for _ in range(80):
          try:
              got = ask(table).column("age").to_numpy() - expected
          except ff.AbortedError:
              changed += 1
              continue
          shifts = set(got[upper].tolist())
          assert len(shifts) == 1 and set(got[~upper].tolist()) == {0}, (shifts, set(got[~upper].tolist()))
          seen.append(shifts.pop())
      [sorted(set(seen)), changed]`;
    const found = (await python.run(code).finally(async () => {
      writing = false;
      await writer;
    })) as [number[], number];
    expect(found[0].length).toBeGreaterThan(0);
  });

  it('does not pile up projections of states that are gone', async () => {
    for (let shift = 1; shift <= 6; shift++) {
      await writeTables(directory, [[second, users(500, 1000, shift)]]);
      expect(await python.run('ages(ask(frame(users=[999])))')).toEqual([9993 + shift]);
    }
    expect(projections().filter((name) => name.startsWith('user_profile-')).length).toBeLessThanOrEqual(2);
  });
});

describe('a projection that is damaged at rest', () => {
  it.each([
    ['a bucket cut short', (folder: string) => truncateSync(join(folder, '0.arrows'), 1000)],
    [
      'a bucket with changed bytes',
      (folder: string) => {
        const bytes = readFileSync(join(folder, '0.arrows'));
        bytes.fill(0xff, bytes.length >> 1, (bytes.length >> 1) + 64);
        writeFileSync(join(folder, '0.arrows'), bytes);
      },
    ],
    ['a bucket that is gone', (folder: string) => rmSync(join(folder, '0.arrows'))],
    ['a manifest of garbage', (folder: string) => writeFileSync(join(folder, 'manifest.json'), '{')],
    ['a manifest that is gone', (folder: string) => rmSync(join(folder, 'manifest.json'))],
  ])('is made again: %s', async (_, damage) => {
    await server.stop();
    for (const name of projections().filter((each) => each.startsWith('user_profile-'))) {
      const folder = join(directory, '.featherflight/projections', name);
      if (statSync(folder).isDirectory()) damage(folder);
    }
    server = await startServer(directory);
    await python.run(`connect("${server.url}")`);
    // A request that finds it damaged in the middle of its answer has to be made again.
    const code = `
      try:
          got = ask(frame(users=[1, 999]))
      except ff.AbortedError as error:
          assert "user_profiles" in error.message and "ask again" in error.message
          got = ask(frame(users=[1, 999]))
      ages(got)`;
    expect(await python.run(code)).toEqual([13, 9993]);
  });
});
