/** What people get wrong, through the Python client: each refusal says what, which name and what to do, and harms nothing. */
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type PythonProcess, startPython } from '../support/start-python.ts';
import { type ServerProcess, startServer } from '../support/start-server.ts';
import { expectRefusal } from './expect-refusal.ts';
import { makeStore, writeTables } from './make-store.ts';

const prelude = fileURLToPath(new URL('./client.py', import.meta.url));
let directory: string;
let server: ServerProcess;
let python: PythonProcess;

beforeAll(async () => {
  directory = await makeStore({ config: { flight: { limits: { maxMessageBytes: 64 * 2 ** 20 } } } });
  await writeTables(directory, [
    [
      'frames/frame.parquet',
      `select 1::bigint as user_id, timestamptz '2026-03-03 12:00:00+00' as event_timestamp, 'x' as label`,
    ],
    ['frames/no_rows.parquet', `select 1::bigint as user_id, timestamptz '2026-03-03 12:00:00+00' as event_timestamp limit 0`],
    ['data/frame.parquet', `select 1::bigint as user_id, timestamptz '2026-03-03 12:00:00+00' as event_timestamp`],
  ]);
  symlinkSync(join(directory, 'data/frame.parquet'), join(directory, 'frames/link.parquet'));
  symlinkSync(join(directory, 'data'), join(directory, 'frames/folder'));
  mkdirSync(join(directory, 'frames-of-others'));
  copyFileSync(join(directory, 'data/frame.parquet'), join(directory, 'frames-of-others/frame.parquet'));
  writeFileSync(join(directory, 'frames/broken.parquet'), 'PAR1 is how it begins');
  server = await startServer(directory);
  python = startPython(prelude, { FEATHERFLIGHT_URL: server.url });
});

afterEach(async () => {
  expect(await python.run('still_works()')).toBe('works');
});

afterAll(async () => {
  await python?.close();
  expect(await server?.stop()).toEqual({ status: 0, signal: null });
  // An internal error is one that nobody foresaw.
  expect(server.log()).not.toMatch(/"level":[56]0/);
});

const refusal = (code: string) => expectRefusal(python, code);

describe('names', () => {
  it.each([
    ['a view', `ask(features=["user_profle:age"])`, 'there is no feature view "user_profle"; did you mean "user_profile"?'],
    [
      'a feature',
      `ask(features=["user_profile:agee"])`,
      'there is no feature "agee" in view "user_profile"; did you mean "age"?',
    ],
    ['a service', `ask(features="ranker_v2")`, 'there is no feature service "ranker_v2"; did you mean "ranker_v1"?'],
    [
      'a join key in keys',
      `ask(keys={"user_profile": {"userid": "user_id"}})`,
      'there is no join key "userid" in view "user_profile" (named in keys); did you mean "user_id"?',
    ],
    [
      'a view in keys',
      `ask(keys={"user_profil": {"user_id": "user_id"}})`,
      'there is no view or prefix "user_profil" in this request (named in keys); did you mean "user_profile"?',
    ],
  ])('that do not exist: %s, with the nearest', async (_, code, message) => {
    expect(await refusal(code)).toMatchObject({ type: 'NotFoundError', message });
  });

  it('that are no references', async () => {
    for (const name of ['user_profile', 'user_profile:', ':age', 'user_profile:age:x', 'a@b@c:age', '']) {
      const { type, message } = await refusal(`ask(features=[${JSON.stringify(name)}, "user_profile:age"])`);
      expect(type).toBe('InvalidArgumentError');
      expect(message).toMatch(
        name === '' ? /features\.0/ : /is no feature reference; write view:feature, or view@prefix:feature/,
      );
    }
  });

  it('of columns that the frame lacks: a join key', async () => {
    const { type, message, details } = await refusal(`ask(frame().rename(columns={"user_id": "userid"}))`);
    expect(type).toBe('InvalidArgumentError');
    expect(message).toBe(
      'view "user_profile" needs join key "user_id", but the frame has no column "user_id"; did you mean "userid"? ' +
        '(add the column, or name another one with keys={"user_profile": {"user_id": "<column>"}})',
    );
    expect(details).toMatchObject({ column: 'user_id' });
  });

  it('of columns that the frame lacks: the time', async () => {
    const { type, message } = await refusal(`ask(frame().rename(columns={"event_timestamp": "when"}))`);
    expect(type).toBe('InvalidArgumentError');
    expect(message).toContain('the frame has no column "event_timestamp"');
    expect(message).toContain('timestamp=…');
  });

  it('that two features share (4.2)', async () => {
    const { type, message } = await refusal(`
      ask(frame(item_id=["item 1"] * 3), features=["user_profile:age", "item_stats:age"])`);
    expect(type).toBe('InvalidArgumentError');
    expect(message).toContain('two columns of the answer would be named "age"');
    expect(message).toContain('feature "user_profile:age"');
    expect(message).toContain('feature "item_stats:age"');
    expect(message).toContain('full_feature_names');
  });

  it('that a feature and a column of the frame share (4.2)', async () => {
    const { type, message } = await refusal(`ask(frame(age=[1, 2, 3]))`);
    expect(type).toBe('InvalidArgumentError');
    expect(message).toContain('two columns of the answer would be named "age": column "age" of the frame and feature');
    const status = await refusal(`ask(frame(age__status=[1, 2, 3]), statuses=True)`);
    expect(status.message).toContain('"age__status"');
    expect(await python.run(`ask(frame(age=[1, 2, 3]), full_feature_names=True).column_names`)).toContain('user_profile__age');
  });

  it('that are asked for twice', async () => {
    const { message } = await refusal(`ask(features=["user_profile:age", "user_profile:age"])`);
    expect(message).toContain('ask for it once');
  });

  it('of prefixes: they follow the rule for names, and stand for one view (4.2)', async () => {
    for (const prefix of ['Home', 'a__b', '9', 'ä', 'a-b', 'a'.repeat(65)]) {
      const { type, message } = await refusal(`ask(features=["user_profile@${prefix}:age"])`);
      expect({ prefix, type }).toEqual({ prefix, type: 'InvalidArgumentError' });
      expect(message).toContain(prefix);
    }
    const two = await refusal(`
      ask(frame(item_id=["item 1"] * 3), features=["user_profile@p:age", "item_stats@p:clicks"])`);
    expect(two.message).toContain('"p" would stand for two views, user_profile and item_stats');
    const meets = await refusal(`
      ask(frame(item_id=["item 1"] * 3), features=["user_profile:age", "item_stats@user_profile:clicks"])`);
    expect(meets.message).toContain('user_profile');
    expect(await python.run(`ask(features=["user_profile@p:age", "user_profile@q:age"]).column_names[2:]`)).toEqual([
      'p__age',
      'q__age',
    ]);
  });
});

describe('keys (2.2)', () => {
  it.each([
    ['text for integers', `ask(frame(users=["1", "2", "3"]))`, /"user_id".*largeUtf8 \("1" in row 0\)/],
    ['a fraction', `ask(frame(users=[1.0, 2.5, 3.5]))`, /"user_id".*2\.5.*row 1|row 1.*2\.5/],
    ['an integer that a float may have rounded', `ask(frame(users=[1.0, 2.0, 2.0**53]))`, /row 2/],
    ['infinity', `ask(frame(users=[1.0, float("inf"), 2.0]))`, /row 1/],
    [
      'an integer beyond int64',
      `ask(pa.Table.from_pandas(frame(users=[1, 2, 2**63])))`,
      /9223372036854775808.*row 2|row 2.*9223372036854775808/,
    ],
    ['a category that is no integer', `ask(frame(users=pd.Categorical(["1", "2", "1"])))`, /"user_id"/],
    ['a boolean', `ask(frame(users=[True, False, True]))`, /"user_id".*bool/],
    ['a time', `ask(frame(users=pd.to_datetime(["2026-01-01"] * 3)))`, /"user_id".*timestamp/],
    ['integers for text', `ask(frame(item_id=[1, 2, 3]), features=["item_stats:clicks"])`, /"item_id".*string/],
  ])('that do not convert by value are refused: %s', async (_, code, message) => {
    const refused = await refusal(code);
    expect(refused.type).toBe('InvalidArgumentError');
    expect(refused.message).toMatch(message);
  });

  it('past the first batch are named by their row of the frame', async () => {
    const { message } = await refusal(`
      users = np.ones(150_000); users[140_123] = 0.5; users[149_000] = 0.25
      ask(frame(users=users))`);
    expect(message).toMatch(/140,?123/);
    expect(message).toContain('0.5');
  });

  it('that convert do: every integer type, whole floats with NaN, categories, large and view strings', async () => {
    expect(
      await python.run(`
        got = [ages(ask(frame(users=np.array([1, 2, 3], kind)))) for kind in ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8")]
        got + [ages(ask(frame(users=pd.Categorical([1, 2, 3])))), ages(ask(frame(users=[1.0, float("nan"), 3.0])))]`),
    ).toEqual([...Array(11).fill([13, 23, 33]), [13, -1, 33]]);
    expect(
      await python.run(`
        base = pa.Table.from_pandas(frame()).drop_columns(["user_id"])
        names = pa.array(["item 1", "item 2", "item 3"])
        kinds = [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string()), pa.dictionary(pa.uint16(), pa.large_string())]
        [ask(base.append_column("item_id", names.cast(kind)), ["item_stats:clicks"]).column("clicks").to_pylist() for kind in kinds]`),
    ).toEqual(Array(5).fill([3, 6, 9]));
  });
});

describe('times', () => {
  it('without a zone are refused with the fix (1.3), and taken with it', async () => {
    const { type, message } = await refusal(`ask(frame().assign(event_timestamp=pd.Timestamp(2026, 3, 3, 12)))`);
    expect(type).toBe('InvalidArgumentError');
    expect(message).toContain('"event_timestamp"');
    expect(message).toContain('timezone="UTC"');
    expect(
      await python.run(`ages(ask(frame().assign(event_timestamp=pd.Timestamp(2026, 3, 3, 12)), timezone="America/New_York"))`),
    ).toEqual([13, 23, 33]);
  });

  it('in a zone that does not exist', async () => {
    const { type, message } = await refusal(
      `ask(frame().assign(event_timestamp=pd.Timestamp(2026, 3, 3, 12)), timezone="America/New_Yrok")`,
    );
    expect(type).toBe('InvalidArgumentError');
    expect(message).toContain('America/New_Yrok');
    expect(message).toContain('did you mean "America/New_York"?');
    expect((await refusal(`ask(timezone="Nowhere")`)).message).toContain('there is no time zone "Nowhere"');
  });

  it.each([
    ['does not exist', '2026-03-08 02:30'],
    ['exists twice', '2026-11-01 01:30'],
  ])('that a zone %s are refused by name and row (1.2)', async (_, local) => {
    const { type, message } = await refusal(`
      times = pd.to_datetime(["2026-03-03 12:00", "${local}", "2026-03-03 12:00"])
      ask(frame().assign(event_timestamp=times), timezone="America/New_York")`);
    expect(type).toBe('InvalidArgumentError');
    expect(message).toContain(local.replace(' ', 'T').slice(0, 10));
    expect(message).toContain('row 1');
  });

  it('of a type that is no time', async () => {
    for (const values of ['[1, 2, 3]', '["2026-03-03"] * 3', '[1.5] * 3']) {
      const { type, message } = await refusal(`ask(frame().assign(event_timestamp=${values}))`);
      expect(type).toBe('InvalidArgumentError');
      expect(message).toContain('"event_timestamp"');
    }
  });

  it('given by at: no instant, no zone', async () => {
    for (const at of ['"yesterday"', '"2026-03-03T12:00:00"', '"2026-13-03T12:00:00Z"', 'datetime(2026, 3, 3)']) {
      const { type, message } = await refusal(`ask(at=${at})`);
      expect({ at, type }).toEqual({ at, type: 'InvalidArgumentError' });
      expect(message.length).toBeGreaterThan(20);
    }
    expect(await python.run(`ages(ask(at="2026-03-02T12:00:00Z"))`)).toEqual([12, 22, 32]);
  });
});

describe('frames', () => {
  it('without rows are answered by no rows of the right schema', async () => {
    expect(
      await python.run(`
        pandas = frame()[:0].assign(kind=pd.Categorical([], categories=["a", "b"]), note=pd.Series([], dtype="str"))
        arrow = pa.Table.from_pandas(frame(), preserve_index=False).append_column("kind", pa.array(["a", "b", "a"]).dictionary_encode())
        full = ask(arrow, ["user_profile:age", "user_profile:city"], statuses=True)
        empty = ask(arrow[:0], ["user_profile:age", "user_profile:city"], statuses=True)
        job = store.get_historical_features(pandas, ["user_profile:age", "user_profile:path"])
        table, df, batches = job.to_arrow(), job.to_pandas(), job.to_batches().read_all()
        polars = store.get_historical_features(pl.from_pandas(pandas), ["user_profile:age"]).to_polars()
        [empty.num_rows, empty.schema.equals(full.schema), table.num_rows, batches.num_rows, str(table.schema.field("age").type),
         list(df.columns), str(df["kind"].dtype), list(df["kind"].cat.categories), polars.height, polars.columns, job.report.rows]`),
    ).toEqual([
      0,
      true,
      0,
      0,
      'int32',
      ['user_id', 'event_timestamp', 'kind', 'note', 'age', 'path'],
      'category',
      ['a', 'b'],
      0,
      ['user_id', 'event_timestamp', 'kind', 'note', 'age'],
      0,
    ]);
    expect(await python.run(`ask("frames/no_rows.parquet").num_rows`)).toBe(0);
    expect(await python.run(`ask(pd.DataFrame({"user_id": [], "event_timestamp": []})).num_rows`)).toBe(0);
    expect(await python.run(`ask(pd.DataFrame({"user_id": pd.Series([], dtype="str"), "event_timestamp": []})).num_rows`)).toBe(
      0,
    );
    expect(await python.run(`exchange(pa.Table.from_pandas(frame())[:0]).num_rows`)).toBe(0);
  });

  it('with empty batches between batches, and with nothing but them', async () => {
    expect(
      await python.run(`
        batch = pa.RecordBatch.from_pandas(frame(), preserve_index=False)
        upload = lambda batches: put(pa.Table.from_batches(batches, batch.schema))["upload"]
        tickets = [raw.get_flight_info(request(upload=upload(batches))).endpoints[0].ticket
                   for batches in ([batch[:0]], [batch[:0], batch, batch[:0], batch[:0], batch, batch[:0]], [])]
        [raw.do_get(ticket).read_all().column("age").to_pylist() for ticket in tickets]`),
    ).toEqual([[], [13, 23, 33, 13, 23, 33], []]);
  });

  it('without columns, or with two of one name', async () => {
    expect((await refusal(`ask(pa.table({"user_id": [1]}).select([]))`)).message).toContain('no columns');
    const { type, message } = await refusal(`
      batch = pa.Table.from_pandas(frame(), preserve_index=False)
      ask(batch.append_column("user_id", batch.column("user_id")))`);
    expect(type).toBe('InvalidArgumentError');
    expect(message).toContain('two columns "user_id"');
  });
});

describe('paths', () => {
  it('inside what is readable are read', async () => {
    expect(await python.run(`ask("frames/frame.parquet").to_pylist()[0]["age"]`)).toBe(13);
    expect(await python.run(`ask("${directory}/frames/../frames/frame.parquet").to_pylist()[0]["label"]`)).toBe('x');
  });

  it.each([
    ['outside', 'data/frame.parquet'],
    ['outside by way of ..', 'frames/../data/frame.parquet'],
    ['outside, absolute', '/etc/hostname.csv'],
    ['a link that leads outside', 'frames/link.parquet'],
    ['a folder link that leads outside', 'frames/folder/frame.parquet'],
    ['a neighbour whose name begins alike', 'frames-of-others/frame.parquet'],
    ['the state', '.featherflight/registry.csv'],
  ])('that are not: %s', async (_, path) => {
    const { type, message } = await refusal(`ask("${path}")`);
    expect(type).toBe('PermissionDeniedError');
    expect(message).toContain(path);
    expect(message).toContain('readable');
  });

  it('outside are refused alike whether the file exists or not', async () => {
    const [there, missing] = [await refusal(`ask("data/frame.parquet")`), await refusal(`ask("data/fram3.parquet")`)];
    expect(missing).toEqual({
      ...there,
      message: there.message.replace('frame', 'fram3'),
      details: { path: 'data/fram3.parquet' },
    });
  });

  it('that are not there, no files, broken, or hold a wildcard', async () => {
    expect(await refusal(`ask("frames/none.parquet")`)).toMatchObject({ type: 'NotFoundError' });
    expect((await refusal(`ask("frames/*.parquet")`)).message).toContain('must name one file');
    const broken = await refusal(`ask("frames/broken.parquet")`);
    expect(broken.type).toBe('FailedPreconditionError');
    expect(broken.message).toContain('frames/broken.parquet');
    expect((await refusal(`ask("frames")`)).type).toBe('InvalidArgumentError');
    expect((await refusal(`ask("frames/frame.parquet\\0.csv")`)).type).toMatch(/InvalidArgument|PermissionDenied|NotFound/);
    expect((await refusal(`ask("https://example.com/frame.parquet")`)).type).toMatch(/InvalidArgument|PermissionDenied|NotFound/);
  });
});

describe('messages that no client of ours sends', () => {
  it.each([
    ['no JSON', 'fl.FlightDescriptor.for_command(b"\\xff{")', /not JSON/],
    ['JSON that is no object', 'fl.FlightDescriptor.for_command(b"[1]")', /type/],
    ['null', 'fl.FlightDescriptor.for_command(b"null")', /type/],
    ['no type', 'command(features=[])', /type/],
    ['an unknown command', 'command(type="get_historical_feature")', /did you mean "get_historical_features"/],
    ['an unknown member', 'request(upload="x" * 32, fulll_feature_names=True)', /fulll_feature_names/],
    ['a member of the wrong type', 'request(upload="0" * 32, batch_rows="many")', /batch_rows/],
    ['no batch at all', 'request(upload="0" * 32, batch_rows=0)', /batch_rows/],
    ['no frame', 'request()', /upload.*path/],
    ['two frames', 'request(upload="0" * 32, path="frames/frame.parquet")', /upload.*path/],
    ['features and a service', 'request(upload="0" * 32, service="ranker_v1")', /features.*service/],
    ['an upload of another shape', 'request(upload="../../etc/passwd")', /no upload/],
    ['a path of an unknown kind', 'fl.FlightDescriptor.for_path("feature_vews", "user_profile")', /feature_vews.*feature_views/],
  ])('commands: %s', async (_, descriptor, message) => {
    const error = (await python.run(`refused(lambda: raw.get_flight_info(${descriptor}))`)) as { code: string; message: string };
    expect(error.code).toBe('INVALID_ARGUMENT');
    expect(error.message).toMatch(message);
    const schema = (await python.run(`refused(lambda: raw.get_schema(${descriptor}))`)) as { code: string };
    expect(schema.code).toBe('INVALID_ARGUMENT');
  });

  it('a path of nothing', async () => {
    expect(await python.run(`refused(lambda: raw.get_flight_info(fl.FlightDescriptor.for_path()))`)).toMatchObject({
      code: 'NOT_FOUND',
    });
    expect(await python.run(`refused(lambda: list(raw.list_flights(b"null")))`)).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(await python.run(`refused(lambda: list(raw.list_flights(b'{"kind": 7}')))`)).toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  it('an upload that was never there', async () => {
    expect(await python.run(`refused(lambda: raw.get_flight_info(request(upload="0" * 32)))`)).toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('upload expired'),
    });
  });

  it('tickets: garbage, changed, without a signature, huge', async () => {
    expect(
      await python.run(`
        ticket = raw.get_flight_info(request(path="frames/frame.parquet")).endpoints[0].ticket.ticket
        payload, signature = ticket.split(b".")
        import base64
        content = json.loads(base64.urlsafe_b64decode(payload + b"=="))
        content["request"]["path"] = "data/frame.parquet"
        forged = base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=")
        bad = [b"", b".", b"x", b"\\xff" * 100, payload, payload + b".", forged + b"." + signature, ticket[:-1], ticket + b".x" , b"a." * 1_000_000,
               payload + b"." + signature.swapcase()]
        assert raw.do_get(fl.Ticket(ticket)).read_all().column("age").to_pylist() == [13]
        sorted({refused(lambda: raw.do_get(fl.Ticket(each)).read_all())["code"] for each in bad})`),
    ).toEqual(['INVALID_ARGUMENT']);
  });

  it('actions: unknown, without what they need, with garbage', async () => {
    const codes = await python.run(`
      act = lambda kind, body=b"": refused(lambda: list(raw.do_action(fl.Action(kind, body))))
      [act("server_inf"), act("list"), act("list", b"{"), act("list", b'{"kind": "view"}'), act("list", b"null"), act("list", b"[]"), act("list", b'{"kind": 7}'),
       act("describe", b'{"name": "user_profle"}'), act("describe", b'{"kind": "x", "name": "user_profile"}'), act("cancel"), act("CancelFlightInfo", b"\\xff\\xff"),
       act("CancelFlightInfo", b""), act("", b"")]`);
    const found = (codes as { code: string; message: string }[]).map(({ code }) => code);
    expect(found).toEqual([...Array(7).fill('INVALID_ARGUMENT'), 'NOT_FOUND', ...Array(5).fill('INVALID_ARGUMENT')]);
    expect((codes as { message: string }[])[0]?.message).toContain('did you mean "server_info"?');
    expect((codes as { message: string }[])[7]?.message).toContain('did you mean "user_profile"?');
  });

  it('actions upon nothing: cancelling a query that is over or never was', async () => {
    expect(
      await python.run(`[json.loads(r.body.to_pybytes()) for r in raw.do_action(fl.Action("cancel", b'{"query": "none"}'))]`),
    ).toEqual([{ cancelled: false }]);
  });

  it('uploads: no descriptor, another command, a path, garbage', async () => {
    const codes = await python.run(`
      table = pa.Table.from_pandas(frame())
      [refused(lambda: put(table, each))["code"] for each in
        (command(type="uplod"), fl.FlightDescriptor.for_path("x"), fl.FlightDescriptor.for_command(b"\\x00"), request())]`);
    expect(codes).toEqual(Array(4).fill('INVALID_ARGUMENT'));
  });

  it('exchanges: with an upload named, another command, no schema', async () => {
    expect(
      await python.run(`
        table = pa.Table.from_pandas(frame())
        def start(descriptor):
            writer, reader = raw.do_exchange(descriptor)
            writer.done_writing()
            reader.read_all()
        [refused(lambda: exchange(table, upload="0" * 32))["code"], refused(lambda: exchange(table, path="frames/frame.parquet"))["code"],
         refused(lambda: exchange(table, type="upload"))["code"], refused(lambda: exchange(table, features=["user_profile:nothing"]))["code"],
         refused(lambda: start(request()))["code"]]`),
    ).toEqual(['INVALID_ARGUMENT', 'INVALID_ARGUMENT', 'INVALID_ARGUMENT', 'NOT_FOUND', 'INVALID_ARGUMENT']);
  });

  it('a message larger than it may be', async () => {
    const { code } = (await python.run(`
      refused(lambda: put(pa.table({"user_id": np.zeros(9_000_000, "i8")})))`)) as { code: string };
    expect(code).toMatch(/RESOURCE_EXHAUSTED|ArrowInvalid/);
  });
});
