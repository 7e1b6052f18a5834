/** The identity of a training set (section 10): same identity, same bytes; anything else that was asked or read, another. */
import { readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type PythonProcess, startPython } from '../support/start-python.ts';
import { applyRepository, type ServerProcess, startServer } from '../support/start-server.ts';
import { makeStore, users, writeTables } from './make-store.ts';

const prelude = fileURLToPath(new URL('./client.py', import.meta.url));
let directory: string;
let server: ServerProcess;
let python: PythonProcess;

const setUp = `
  import hashlib
  table, expected = many(120_000, seed=3)
  table = table.append_column("item_id", pa.array([f"item {index % 120}" for index in range(table.num_rows)]))
  features = ["user_profile:age", "user_profile:score", "user_profile:path", "item_stats:price"]

  def bytes_of(answer):
      # Rows as they are: where batches are cut is no part of a training set.
      sink = pa.BufferOutputStream()
      with pa.ipc.new_stream(sink, answer.schema.remove_metadata()) as writer:
          for batch in answer.combine_chunks().to_batches(): writer.write_batch(batch)
      return hashlib.sha256(sink.getvalue()).hexdigest()

  def identify(entity_df=None, names=None, **options):
      job = store.get_historical_features(table if entity_df is None else entity_df, names or features, **options)
      answer = job.to_arrow()
      inside = answer.schema.metadata.get(b"featherflight.identity")
      assert inside is None or inside.decode() == job.report.identity
      assert job.report.reproducible
      return [job.report.identity, bytes_of(answer)]`;

beforeAll(async () => {
  directory = await makeStore();
  server = await startServer(directory);
  python = startPython(prelude, { FEATHERFLIGHT_URL: server.url });
  await python.run(setUp);
});

afterAll(async () => {
  await python?.close();
  await server?.stop();
});

const identify = async (args = '') => (await python.run(`identify(${args})`)) as [identity: string, bytes: string];

async function restart(environment: Readonly<Record<string, string>>): Promise<void> {
  expect(await server.stop()).toEqual({ status: 0, signal: null });
  server = await startServer(directory, { environment });
  await python.run(`connect("${server.url}")`);
}

it('and the bytes are the same for the same request, however it is sent and served', async () => {
  const first = await identify();
  expect(await identify()).toEqual(first);
  expect(await identify('batch_rows=777')).toEqual(first);
  expect(await identify('batch_rows=1_000_000')).toEqual(first);
  expect(await identify('compression="lz4"')).toEqual(first);
  expect(await identify('compression="zstd"')).toEqual(first);
  expect(await identify('as_known=False')).toEqual(first);
  await restart({ FEATHERFLIGHT_DUCKDB_THREADS: '1' });
  expect(await identify()).toEqual(first);
  await restart({});
  expect(await identify()).toEqual(first);
});

it('and the bytes are the same from another state folder, with one DuckDB thread or two', async () => {
  const first = await identify();
  for (const threads of ['1', '2']) {
    const state = join(directory, `state-of-${threads}`);
    process.env.FEATHERFLIGHT_STATE = state;
    try {
      await applyRepository(directory);
    } finally {
      delete process.env.FEATHERFLIGHT_STATE;
    }
    await restart({ FEATHERFLIGHT_STATE: state, FEATHERFLIGHT_DUCKDB_THREADS: threads });
    expect(await identify()).toEqual(first);
  }
  await restart({});
});

it('of DoExchange stands on the last batch, and is that of the same frame by upload', async () => {
  expect(
    await python.run(`
      def by_exchange():
          writer, reader = raw.do_exchange(command(type="get_historical_features", features=features))
          writer.begin(table.schema)
          thread = threading.Thread(target=lambda: (writer.write_table(table, 65_536), writer.done_writing()))
          thread.start()
          report = None
          for chunk in reader:
              if chunk.app_metadata is not None: report = json.loads(chunk.app_metadata.to_pybytes())["report"]
          thread.join()
          return report["identity"]
      by_exchange() == identify()[0]`),
  ).toBe(true);
});

it('is another for another frame, other features or options', async () => {
  const all = [await identify()];
  for (const args of [
    'table[1:]',
    'table.take(pa.array(range(table.num_rows - 1, -1, -1)))',
    'table.append_column("label", pa.array([1] * table.num_rows))',
    'table.set_column(0, "user_id", table["user_id"].cast("int32"))',
    'names=features[:3]',
    'names=features[::-1]',
    'full_feature_names=True',
    'statuses=True',
    'as_known=True',
    'at="2026-03-03T12:00:00Z"',
    'at="2026-03-03T12:00:00.000001Z"',
    'table.rename_columns(["user", "event_timestamp", "item_id"]), keys={"user_profile": {"user_id": "user"}}',
    'names=["user_profile@p:age"]',
    'names=["user_profile@q:age"]',
  ]) {
    all.push(await identify(args));
  }
  expect(new Set(all.map(([identity]) => identity)).size).toBe(all.length);
});

it('is another for another state of a source, even of the same rows, and the old one for the old file', async () => {
  const path = join(directory, 'data/users/part-1.parquet');
  const kept = readFileSync(path);
  const old = new Date('2026-03-05T00:00:00Z');
  utimesSync(path, old, old);
  const first = await identify();
  const later = new Date('2026-03-06T00:00:00Z');
  utimesSync(path, later, later);
  const touched = await identify();
  expect(touched[0]).not.toBe(first[0]);
  expect(touched[1]).toBe(first[1]);
  await writeTables(directory, [['data/users/part-1.parquet', users(500, 1000, 1)]]);
  utimesSync(path, old, old);
  const changed = await identify();
  expect(changed[0]).not.toBe(first[0]);
  expect(changed[1]).not.toBe(first[1]);
  writeFileSync(path, kept);
  utimesSync(path, old, old);
  expect(await identify()).toEqual(first);
});

it('is another for another definition, and the same for another description', async () => {
  const path = join(directory, 'features/store.ts');
  const kept = readFileSync(path, 'utf8');
  const applied = async (text: string) => {
    writeFileSync(path, text);
    await python.run('store._transport.action("apply", {"force": True})');
    return await identify();
  };
  const first = await identify();
  expect(
    await applied(kept.replace("type: 'int32', default: -1", "type: 'int32', default: -1, description: 'In years.'")),
  ).toEqual(first);
  for (const other of [
    kept.replace('default: -1', 'default: -2'),
    kept.replace("ttl: '30d'", "ttl: '29d'"),
    kept.replace("ttl: '30d'", "ttl: '30d', delay: '1s'"),
    kept.replace("default: fitted('mean')", "default: fitted('median')"),
    kept.replace("age: { type: 'int32', default: -1 }", "age: { type: 'int64', default: -1 }"),
  ]) {
    expect(other).not.toBe(kept);
    expect((await applied(other))[0]).not.toBe(first[0]);
  }
  expect(await applied(kept)).toEqual(first);
});
