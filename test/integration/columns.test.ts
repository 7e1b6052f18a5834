/** The frame's own columns come back as they were sent, whatever their type and however they are cut (4.1). */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PythonProcess, startPython } from '../support/start-python.ts';
import { type ServerProcess, startServer } from '../support/start-server.ts';
import { makeStore } from './make-store.ts';

const prelude = fileURLToPath(new URL('./client.py', import.meta.url));
let server: ServerProcess;
let python: PythonProcess;

beforeAll(async () => {
  server = await startServer(await makeStore());
  python = startPython(prelude, { FEATHERFLIGHT_URL: server.url });
  await python.run(`
    import decimal
    rows = 1_000
    base, expected = many(rows)
    random = np.random.default_rng(5)
    words = ["", "a", "käse", "日本語", "x" * 200, None, "a longer one than twelve bytes"]
    text = [words[index % 7] for index in range(rows)]
    lists = pa.array([None if index % 5 == 0 else list(range(index % 4)) for index in range(rows)], pa.list_(pa.int32()))
    times = pa.array(random.integers(-10**15, 10**15, rows), pa.int64())

    columns = {
        "null": pa.nulls(rows),
        "bool": pa.array([None if index % 3 == 0 else index % 2 == 0 for index in range(rows)]),
        **{f"i{bits}": pa.array([None if index % 11 == 0 else index % 200 - 100 for index in range(rows)], getattr(pa, f"int{bits}")()) for bits in (8, 16, 32, 64)},
        **{f"u{bits}": pa.array([index % 200 for index in range(rows)], getattr(pa, f"uint{bits}")()) for bits in (8, 16, 32)},
        "u64": pa.array([2**64 - 1 - index for index in range(rows)], pa.uint64()),
        "f16": pa.array(random.random(rows).astype("f2")),
        "f32": pa.array(random.random(rows).astype("f4")),
        "f64": pa.array([None, float("nan"), float("inf"), -0.0] * (rows // 4), pa.float64(), from_pandas=False),
        "string": pa.array(text),
        "large_string": pa.array(text, pa.large_string()),
        "string_view": pa.array(text, pa.string_view()),
        "binary": pa.array([None if t is None else t.encode() for t in text], pa.binary()),
        "large_binary": pa.array([None if t is None else t.encode() for t in text], pa.large_binary()),
        "binary_view": pa.array([None if t is None else t.encode() for t in text], pa.binary_view()),
        "fixed": pa.array([None if index % 4 == 0 else index.to_bytes(3, "big") for index in range(rows)], pa.binary(3)),
        "dec32": pa.array([decimal.Decimal(index) / 100 for index in range(rows)], pa.decimal32(9, 2)),
        "dec64": pa.array([decimal.Decimal(index) / 100 for index in range(rows)], pa.decimal64(18, 2)),
        "dec128": pa.array([decimal.Decimal(index) / 100 for index in range(rows)], pa.decimal128(38, 2)),
        "dec256": pa.array([decimal.Decimal(index) / 100 for index in range(rows)], pa.decimal256(70, 2)),
        "date32": pa.array([index - 500 for index in range(rows)], pa.int32()).cast(pa.date32()),
        "date64": pa.array([index - 500 for index in range(rows)], pa.int32()).cast(pa.date32()).cast(pa.date64()),
        **{f"time_{unit}": pa.array([index for index in range(rows)], pa.int32() if unit in ("s", "ms") else pa.int64()).cast(kind(unit))
           for unit, kind in (("s", pa.time32), ("ms", pa.time32), ("us", pa.time64), ("ns", pa.time64))},
        **{f"ts_{unit}_{zone}": times.cast(pa.timestamp(unit, zone)) for unit in ("s", "ms", "us", "ns") for zone in (None, "UTC", "America/New_York", "+05:30")},
        "duration": times.cast(pa.duration("ns")),
        "interval": pa.array([pa.MonthDayNano([1, index, -index]) for index in range(rows)]),
        "list": lists,
        "large_list": lists.cast(pa.large_list(pa.int32())),
        "list_view": pa.ListViewArray.from_arrays(pa.array([index % 7 for index in range(rows)], pa.int32()), pa.array([index % 4 for index in range(rows)], pa.int32()), pa.array(range(12), pa.int32())),
        "vector": pa.FixedSizeListArray.from_arrays(pa.array(random.random(rows * 4).astype("f4")), 4),
        "struct": pa.array([None if index % 6 == 0 else {"a": index, "b": text[index], "c": [index]} for index in range(rows)]),
        "map": pa.array([None if index % 6 == 0 else [(str(index), index)] for index in range(rows)], pa.map_(pa.string(), pa.int64())),
        "nested": pa.array([[{"x": [[text[index]], []]}] for index in range(rows)]),
        "dictionary": pa.array(text).dictionary_encode(),
        "ordered": pa.DictionaryArray.from_arrays(pa.array([index % 3 for index in range(rows)], pa.int8()), pa.array(["low", "mid", "high"]), ordered=True),
        "dictionary_of_large": pa.array(text, pa.large_string()).dictionary_encode(),
        "dictionary_in_list": pa.ListArray.from_arrays(pa.array(range(rows + 1), pa.int32()), pa.array(text).dictionary_encode()),
        "run_end": pa.RunEndEncodedArray.from_arrays(pa.array([400, rows], pa.int32()), pa.array(["first", "second"])),
        "dense_union": pa.UnionArray.from_dense(pa.array([index % 2 for index in range(rows)], pa.int8()), pa.array([index // 2 for index in range(rows)], pa.int32()),
            [pa.array(range(rows // 2)), pa.array(["u"] * (rows // 2))]),
        "sparse_union": pa.UnionArray.from_sparse(pa.array([index % 2 for index in range(rows)], pa.int8()), [pa.array(range(rows)), pa.array(["u"] * rows)]),
        "uuid": pa.ExtensionArray.from_storage(pa.uuid(), pa.array([index.to_bytes(16, "big") for index in range(rows)], pa.binary(16))),
        "json": pa.ExtensionArray.from_storage(pa.json_(), pa.array(["{}"] * rows)),
    }

    def with_columns(names):
        table = base
        for name in names:
            column = columns[name]
            table = table.append_column(pa.field(name, column.type, metadata={"unit": "of " + name}), column)
        return table.replace_schema_metadata({"made": "by hand"})

    def same(answer, table, ages_expected=None):
        own = answer.select(table.column_names)
        answer.validate(full=True)
        wrong = [name for name in table.column_names if not own.column(name).equals(table.column(name)) and not (own.column(name).to_pylist().__repr__() == table.column(name).to_pylist().__repr__() and own.schema.field(name).type == table.schema.field(name).type)]
        assert not wrong, wrong
        assert own.schema.equals(table.schema), (own.schema, table.schema)
        fields = [(own.schema.field(name).metadata, table.schema.field(name).metadata) for name in table.column_names]
        assert all(came == sent for came, sent in fields), fields
        return all_right(answer, expected if ages_expected is None else ages_expected)

    uncuttable = [name for name in columns if name in ("run_end", "dense_union", "sparse_union", "list_view")]
    every = [name for name in columns if name not in uncuttable]`);
});

afterAll(async () => {
  await python?.close();
  expect(await server?.stop()).toEqual({ status: 0, signal: null });
  expect(server.log()).not.toMatch(/"level":[56]0/);
});

describe('columns of every type', () => {
  it('come back through upload and answer', async () => {
    expect(await python.run('table = with_columns(columns)\nsame(ask(table), table)')).toBe(true);
    expect(await python.run('sorted(set(map(str, table.schema.types))).__len__() > 40')).toBe(true);
  });

  it('come back through DoExchange', async () => {
    expect(await python.run('same(exchange(table), table)')).toBe(true);
  });

  it.each(['lz4', 'zstd'])('come back compressed with %s', async (codec) => {
    expect(await python.run(`same(ask(table, compression="${codec}"), table)`)).toBe(true);
    expect(
      await python.run(`
        same(exchange(table, write_options=pa.ipc.IpcWriteOptions(compression="${codec}")), table)`),
    ).toBe(true);
  });

  it('come back in batches of one row, and of rows that fit no byte', async () => {
    expect(
      await python.run('cuttable = with_columns(every)\nsame(ask(cuttable[:50], batch_rows=1), cuttable[:50], expected[:50])'),
    ).toBe(true);
    expect(await python.run('same(ask(cuttable, batch_rows=13), cuttable)')).toBe(true);
    expect(await python.run('same(exchange(cuttable[:50], max_chunksize=1), cuttable[:50], expected[:50])')).toBe(true);
    expect(await python.run('same(exchange(cuttable, max_chunksize=77, batch_rows=10), cuttable)')).toBe(true);
  });

  it('come back from slices that begin anywhere', async () => {
    expect(
      await python.run(`
        all(same(ask(cuttable[start:start + 301], batch_rows=100), cuttable[start:start + 301], expected[start:start + 301]) for start in (1, 7, 8, 63, 500))`),
    ).toBe(true);
  });

  it('that cannot be cut are refused by name where they must be, or come back', async () => {
    const got = await python.run(`
      def cut(name):
          table = with_columns([name])
          try:
              return same(ask(table, batch_rows=100), table)
          except ff.FeatherflightError as error:
              return name in error.message and type(error).__name__
      [cut(name) for name in uncuttable]`);
    for (const each of got as unknown[]) expect([true, 'InvalidArgumentError', 'UnimplementedError']).toContain(each);
  });
});

describe('dictionaries', () => {
  it('that change between batches: replaced, grown by a delta', async () => {
    const code = (delta: boolean) => `
      kinds = [pa.array(["a", "b", "a"]).dictionary_encode(), pa.array(["a", "b", "c"]).dictionary_encode(), pa.array(["a", "b", "c", "d"]).dictionary_encode()]
      if not ${delta ? 'True' : 'False'}: kinds[1] = pa.array(["z", "y", None]).dictionary_encode()
      batches = [pa.record_batch({"user_id": pa.array([1, 2, 3, 4][:len(kind)]), "event_timestamp": pa.array([pd.Timestamp("2026-03-03 12:00Z")] * len(kind), pa.timestamp("us", "UTC")), "kind": kind}) for kind in kinds]
      write_options = pa.ipc.IpcWriteOptions(emit_dictionary_deltas=${delta ? 'True' : 'False'})
      sent = [batch.column("kind").to_pylist() for batch in batches]

      def come(reader):
          return [chunk.data.column("kind").to_pylist() for chunk in reader if chunk.data.num_rows > 0]

      def up_and_down():
          writer, reader = raw.do_exchange(request())
          def send():
              writer.begin(batches[0].schema, options=write_options)
              for batch in batches: writer.write_batch(batch)
              writer.done_writing()
          thread = threading.Thread(target=send); thread.start()
          got = come(reader); thread.join()
          return got

      def upload():
          options = fl.FlightCallOptions(write_options=write_options)
          writer, reader = raw.do_put(command(type="upload"), batches[0].schema, options)
          for batch in batches: writer.write_batch(batch)
          writer.done_writing()
          answer = json.loads(reader.read().to_pybytes())
          writer.close()
          return come(raw.do_get(raw.get_flight_info(request(upload=answer["upload"])).endpoints[0].ticket))

      [up_and_down() == sent, upload() == sent]`;
    expect(await python.run(code(false))).toEqual([true, true]);
    expect(await python.run(code(true))).toEqual([true, true]);
  });

  it('that are keys, replaced between batches', async () => {
    const code = `
      batches = [pa.record_batch({"item_id": pa.array(names).dictionary_encode(), "event_timestamp": pa.array([pd.Timestamp("2026-03-03 12:00Z")] * 3, pa.timestamp("us", "UTC"))})
                 for names in (["item 1", "item 2", None], ["item 9", "item 2", "item 9"], ["none", "", "item 1"])]
      table = pa.Table.from_batches(batches)
      [answer.column("clicks").to_pylist() for answer in (ask(table, ["item_stats:clicks"]), exchange(table, features=["item_stats:clicks"]))]`;
    const clicks = [3, 6, null, 27, 6, 27, null, null, 3];
    expect(await python.run(code)).toEqual([clicks, clicks]);
  });

  it('of pandas and Polars: categories come back as categories', async () => {
    expect(
      await python.run(`
        df = frame(kind=pd.Categorical(["b", None, "a"], categories=["c", "b", "a"], ordered=True))
        got = store.get_historical_features(df, ["user_profile:age"]).to_pandas()
        pd.testing.assert_frame_equal(got[df.columns], df)
        polars = pl.from_pandas(frame()).with_columns(kind=pl.Series(["x", None, "y"], dtype=pl.Categorical), size=pl.Series(["s", "l", "s"], dtype=pl.Enum(["s", "l"])))
        answer = store.get_historical_features(polars, ["user_profile:age"]).to_polars()
        [answer.drop("age").equals(polars), answer.drop("age").schema == polars.schema, answer["age"].to_list()]`),
    ).toEqual([true, true, [13, 23, 33]]);
  });
});

describe('sizes', () => {
  it('one batch of a million rows, up and down, in one call and by upload', async () => {
    await python.run('big, big_ages = many(1_000_000, columns=2)\nbig = big.combine_chunks()');
    expect(await python.run('same(exchange(big), big, big_ages)')).toBe(true);
    expect(
      await python.run(`
        ticket = raw.get_flight_info(request(upload=put(big)["upload"], batch_rows=1_000_000)).endpoints[0].ticket
        answer = raw.do_get(ticket).read_all()
        [same(answer, big, big_ages), answer.column("age").num_chunks]`),
    ).toEqual([true, 1]);
  });

  it('strings of a megabyte, views that share their buffers, rows by the thousand of one byte', async () => {
    expect(
      await python.run(`
        long = ["x" * 1_000_000, "y" * 3, None, "z" * 2_000_000] * 5
        table = base[:20].append_column("text", pa.array(long)).append_column("view", pa.array(long, pa.string_view()))
        shared = pa.array(["a shared text that is long " * 40] * 1000, pa.string_view())
        views = base.append_column("v", shared).append_column("w", shared)
        [same(ask(table, batch_rows=3), table, expected[:20]), same(exchange(table), table, expected[:20]), same(ask(views, batch_rows=64), views)]`),
    ).toEqual([true, true, true]);
  });

  it('an answer that begins before the frame has ended', async () => {
    expect(
      await python.run(`
        writer, reader = raw.do_exchange(request())
        writer.begin(base.schema)
        got = []
        for start in range(0, rows, 100):
            writer.write_table(base[start:start + 100])
            got.append(reader.read_chunk().data) if start > 0 else None
        writer.done_writing()
        got.append(reader.read_chunk().data)
        got += [chunk.data for chunk in reader]
        same(pa.Table.from_batches([batch for batch in got if batch is not None]), base)`),
    ).toBe(true);
  });
});
