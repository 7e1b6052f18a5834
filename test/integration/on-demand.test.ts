/** On-demand views end to end (section 7): defined, applied, and computed by a server for a client in Python. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runProgram } from '../support/run-program.ts';
import { type PythonProcess, startPython } from '../support/start-python.ts';
import { applyRepository, cliPath, type ServerProcess, startServer } from '../support/start-server.ts';
import { expectRefusal } from './expect-refusal.ts';
import { makeStore } from './make-store.ts';

const prelude = fileURLToPath(new URL('./client.py', import.meta.url));
const kinds = {
  r_bool: 'bool',
  r_int32: 'int32',
  r_int64: 'int64',
  r_float32: 'float32',
  r_float64: 'float64',
  r_string: 'string',
  r_bytes: 'bytes',
  r_timestamp: 'timestamp',
  r_date: 'date',
  r_decimal: 'decimal(12,3)',
  r_list: 'list(list(int64))',
  r_vector: 'vector(float32,2)',
};
const outputs = Object.fromEntries(Object.entries(kinds).map(([name, type]) => [name.replace('r_', 'o_'), type]));
const echoed = Object.keys(kinds).map((name) => `${name.replace('r_', 'o_')}: request.${name}`);

const definitions = `
import { featureService, onDemandFeatureView } from 'featherflight';
import { gap } from '../shared/gap.ts';
import { itemStats, userProfile } from './store.ts';

export const clock = onDemandFeatureView('clock', {
  request: { user_timezone: 'string' },
  inputs: [userProfile.select('age'), userProfile.as('friend').withKeys({ user_id: 'friend_id' }).select('age', 'path')],
  features: {
    local_hour: { type: 'int32', description: 'Where the user is.' },
    weekday: 'int32', age_gap: 'int32', path: 'list(int64)', us: 'int64',
  },
  transform: ({ request, now, features }) => {
    const { hour, weekday } = now.in(request.user_timezone);
    if (features.friend.age === 13) throw new Error('unlucky');
    return { local_hour: hour, weekday, age_gap: gap(features), path: features.friend.path, us: now.epochMicros };
  },
  owner: 'time',
});
export const kinds = onDemandFeatureView('kinds', {
  request: ${JSON.stringify(kinds)},
  features: ${JSON.stringify(outputs)},
  transform: ({ request }) => ({ ${echoed.join(', ')} }),
});
export const timed = featureService('timed', { features: [clock.select('local_hour').as('home'), itemStats.select('price'), clock.select('age_gap')] });
`;
const shared = (sign: string) => `
interface Read { readonly user_profile: { readonly age: number | null }; readonly friend: { readonly age: number | null } }
export function gap({ user_profile, friend }: Read): number | null {
  return user_profile.age === null || friend.age === null ? null : user_profile.age ${sign} friend.age;
}
`;

let directory: string;
let server: ServerProcess;
let python: PythonProcess;

beforeAll(async () => {
  directory = await makeStore();
  mkdirSync(join(directory, 'shared'));
  writeFileSync(join(directory, 'shared/gap.ts'), shared('-'));
  writeFileSync(join(directory, 'features/on_demand.ts'), definitions);
  await applyRepository(directory);
  server = await startServer(directory);
  python = startPython(prelude, { FEATHERFLIGHT_URL: server.url });
  await python.run(`
    from zoneinfo import ZoneInfo
    zones = ["Europe/Paris", "America/New_York", "Asia/Kathmandu", "UTC", None]
    def people(rows=10, seed=0):
        table, _ = many(rows, seed)
        friends = pa.array([(user * 7 + 3) % 1000 for user in table["user_id"].to_pylist()])
        table = table.append_column("friend_id", friends)
        return table.append_column("user_timezone", pa.array([zones[row % 5] for row in range(rows)]))
    def ages_of(ids, times):
        return [10 * user + time.day if user < 1000 else -1 for user, time in zip(ids, times)]`);
});

afterAll(async () => {
  await python?.close();
  await server?.stop();
});

describe('a transform on the training path', () => {
  it('computes from the row, its time, the request and what is looked up twice, beside what is asked for itself', async () => {
    const answered = await python.run(`
      asked = people(20_000)
      asked = asked.filter(pa.compute.not_equal(asked["friend_id"], 1))
      names = ["clock:local_hour", "user_profile:age", "clock:age_gap", "clock:path", "clock:us", "clock:weekday"]
      answer = ask(asked, names, batch_rows=1500)
      times = [time.astimezone(ZoneInfo("UTC")) for time in asked["event_timestamp"].to_pylist()]
      local = [None if zone is None else time.astimezone(ZoneInfo(zone)) for time, zone in zip(times, asked["user_timezone"].to_pylist())]
      mine, others = ages_of(asked["user_id"].to_pylist(), times), ages_of(asked["friend_id"].to_pylist(), times)
      [
          answer.column_names == asked.column_names + [name.split(":")[1] for name in names],
          str(answer.schema.field("path").type), str(answer.schema.field("us").type),
          answer["local_hour"].to_pylist() == [None if time is None else time.hour for time in local],
          answer["weekday"].to_pylist() == [None if time is None else time.isoweekday() for time in local],
          answer["age"].to_pylist() == mine,
          answer["age_gap"].to_pylist() == [a - b for a, b in zip(mine, others)],
          answer["path"].to_pylist() == [[user, time.day] for user, time in zip(asked["friend_id"].to_pylist(), times)],
          answer["us"].to_pylist() == asked["event_timestamp"].cast(pa.int64()).to_pylist(),
          answer.select(asked.column_names).equals(asked),
      ]`);
    expect(answered).toEqual([true, 'list<item: int64>', 'int64', ...Array(7).fill(true)]);
  });

  it('7.3: reads defaults, and has the statuses of a computed value', async () => {
    expect(
      await python.run(`
        given = pa.table({
            "user_id": [2, 5000, 2, 2], "friend_id": [5000, 2, 5001, 3],
            "event_timestamp": pa.array([datetime(2026, 3, 3, 12), datetime(2026, 3, 3, 12), None, datetime(2026, 3, 3, 12)], pa.timestamp("us", "UTC")),
            "user_timezone": ["UTC", None, "UTC", "Asia/Tokyo"],
        })
        job = store.get_historical_features(given, ["clock:age_gap", "clock:local_hour"], statuses=True)
        answer = job.to_arrow()
        [answer["age_gap"].to_pylist(), answer["age_gap__status"].to_pylist(), answer["age_gap__is_default"].to_pylist(),
         answer["age_gap__event_timestamp"].null_count, str(answer.schema.field("age_gap__event_timestamp").type),
         answer["local_hour"].to_pylist(), answer["local_hour__status"].to_pylist(), len(answer.column_names)]`),
    ).toEqual([
      [24, -24, null, -10],
      ['PRESENT', 'PRESENT', 'NOT_FOUND', 'PRESENT'],
      [false, false, false, false],
      4,
      'timestamp[us, tz=UTC]',
      [12, null, null, 21],
      ['PRESENT', 'NULL_VALUE', 'NOT_FOUND', 'PRESENT'],
      12,
    ]);
  });

  it('takes a service that has it selected, under a prefix, beside others', async () => {
    expect(
      await python.run(`
        answer = ask(people(3).append_column("item_id", pa.array(["item 1", "item 2", "no"])), "timed")
        [answer.column_names[4:], answer["home__local_hour"].to_pylist(), [str(value) for value in answer["price"].to_pylist()][2]]`),
    ).toEqual([
      ['item_id', 'home__local_hour', 'price', 'age_gap'],
      [expect.any(Number), expect.any(Number), expect.any(Number)],
      'None',
    ]);
  });

  it('reads the friends by the columns that the request names', async () => {
    const renamed = 'people(50).rename_columns(["user_id", "event_timestamp", "buddy", "user_timezone"])';
    expect(
      await python.run(`
        ask(${renamed}, ["clock:age_gap"], keys={"friend": {"user_id": "buddy"}})["age_gap"].equals(ask(people(50), ["clock:age_gap"])["age_gap"])`),
    ).toBe(true);
  });

  it('7.1: takes and gives values of every type as they are', async () => {
    await python.run(`
      from decimal import Decimal
      from datetime import date
      values = pa.table({
          "user_id": [1, 2, 3], "event_timestamp": pa.array([datetime(2026, 3, 3)] * 3, pa.timestamp("us", "UTC")),
          "r_bool": [True, False, None], "r_int32": pa.array([-2**31, 2**31 - 1, None], pa.int32()), "r_int64": [-2**63, 2**63 - 1, None],
          "r_float32": pa.array([0.1, float("-inf"), None], pa.float32()), "r_float64": [-0.0, 5e-324, None],
          "r_string": ["", "日本\\x00", None], "r_bytes": [b"", b"\\x00\\xff", None],
          "r_timestamp": pa.array([-1, 253402300800000000, None], pa.timestamp("us", "UTC")),
          "r_date": pa.array([date(1, 1, 1), date(2026, 2, 28), None]),
          "r_decimal": pa.array([Decimal("-0.001"), Decimal("999999999.999"), None], pa.decimal128(12, 3)),
          "r_list": pa.array([[[1, None], None], [], None], pa.list_(pa.list_(pa.int64()))),
          "r_vector": pa.array([[0.1, -0.0], [1, 2], None], pa.list_(pa.float32(), 2)),
      })
      names = [name[2:] for name in values.column_names[2:]]
      def kinds(frame): return ask(frame, [f"kinds:o_{name}" for name in names])`);
    expect(
      await python.run('answer = kinds(values)\n[name for name in names if not answer["o_" + name].equals(values["r_" + name])]'),
    ).toEqual([]);
    // Other columns of the same values are taken by value.
    expect(
      await python.run(`
        cast = {"int32": pa.float64(), "int64": pa.decimal128(19, 0), "float32": pa.float64(), "string": pa.large_string(), "bytes": pa.large_binary(),
                "date": pa.date64(), "timestamp": pa.timestamp("us", "Asia/Tokyo"), "decimal": pa.decimal128(20, 3), "list": pa.large_list(pa.list_(pa.int64()))}
        del cast["int64"]
        other = values
        for name, type in cast.items():
            at = other.column_names.index("r_" + name)
            other = other.set_column(at, "r_" + name, other["r_" + name].cast(type))
        other = other.set_column(other.column_names.index("r_string"), "r_string", values["r_string"].dictionary_encode())
        answer = kinds(other)
        [name for name in names if not answer["o_" + name].equals(values["r_" + name])]`),
    ).toEqual([]);
  });
});

describe('what is refused', () => {
  const refusals: readonly (readonly [name: string, code: string, message: RegExp, type: string])[] = [
    [
      'a request value that is missing',
      'ask(people().drop_columns(["user_timezone"]), ["clock:local_hour"])',
      /on-demand view "clock" needs request value "user_timezone", but the frame has no column "user_timezone".*add a column of string/,
      'InvalidArgumentError',
    ],
    [
      'a request value of another type',
      'ask(people().set_column(3, "user_timezone", pa.array(range(10))), ["clock:local_hour"])',
      /request value "user_timezone" of "clock" is string, and column "user_timezone" of the frame is int64/,
      'InvalidArgumentError',
    ],
    [
      'a key of an input that is missing',
      'ask(people().drop_columns(["friend_id"]), ["clock:local_hour"])',
      /view "friend" needs join key "user_id", but the frame has no column "friend_id"/,
      'InvalidArgumentError',
    ],
    [
      'an unknown feature',
      'ask(people(), ["clock:local_hours"])',
      /no feature "local_hours" in view "clock"; did you mean "local_hour"/,
      'NotFoundError',
    ],
    [
      'a value that does not fit',
      'kinds(values.set_column(3, "r_int32", pa.array([1, 2**31, None])))',
      /column "r_int32", row 1: 2147483648 is no int32: it does not fit \(a request value of "kinds"\)/,
      'InvalidArgumentError',
    ],
    [
      'times without a zone',
      'kinds(values.set_column(9, "r_timestamp", values["r_timestamp"].cast(pa.timestamp("us"))))',
      /request value "r_timestamp" of "kinds" is timestamp, and column "r_timestamp" of the frame is timestamp\[us\]; send it with a zone/,
      'InvalidArgumentError',
    ],
    [
      'a vector of another length',
      'kinds(values.set_column(13, "r_vector", pa.array([[1.0], None, None])))',
      /column "r_vector", row 0: a list of 1 is no vector\(float32,2\)/,
      'InvalidArgumentError',
    ],
  ];
  it.each(refusals)('%s, by name, before anything is streamed', async (_, code, message, type) => {
    const refusal = await expectRefusal(python, code.replace('ask(', 'store.get_historical_features('));
    expect(refusal).toMatchObject({ type, message: expect.stringMatching(message) });
  });

  it('7.1: a transform that throws in the middle of a stream is an error, never a shorter table', async () => {
    await python.run(`
      bad = people(200_000)
      users = bad["friend_id"].to_numpy().copy()
      users[users == 1] = 2
      users[150_123] = 1
      days = [3] * 200_000
      bad = bad.set_column(2, "friend_id", pa.array(users))
      bad = bad.set_column(1, "event_timestamp", pa.array([datetime(2026, 3, 3, 12)] * 200_000, pa.timestamp("us", "UTC")))`);
    for (const read of ['.to_arrow()', '.to_pandas()', '.to_batches().read_all()', '.to_parquet("/tmp/never.parquet")']) {
      const refusal = await expectRefusal(
        python,
        `store.get_historical_features(bad, ["clock:local_hour"], batch_rows=4096)${read}`,
      );
      expect(refusal).toMatchObject({
        type: 'FailedPreconditionError',
        message: expect.stringMatching(
          /^transform "clock", row 150123: Error: unlucky; it was given \{"features":\{"user_profile":\{"age":\d+\},"friend":\{"age":13,"path":\["1","3"\]\}\},"request":\{"user_timezone":"UTC"\},"now":"2026-03-03T12:00:00\.000000Z"\}/,
        ),
      });
      expect(refusal.details).toMatchObject({ transform: 'clock', row: 150_123 });
    }
    expect(await python.run('still_works()')).toBe('works');
  });
});

describe('the catalogue', () => {
  it('knows on-demand views and their features', async () => {
    expect(
      await python.run(`
        view = store.feature_views()["clock"]
        [view["kind"], view["source"], view["entities"], view["join_keys"], view["features"], view["owner"], store.features()["clock:local_hour"]["description"]]`),
    ).toEqual([
      'on_demand',
      null,
      ['user'],
      { user_id: 'int64', friend_id: 'int64' },
      ['local_hour', 'weekday', 'age_gap', 'path', 'us'],
      'time',
      'Where the user is.',
    ]);
    expect(
      await python.run(`
        flights = {info.descriptor.path[-1].decode(): info.schema for info in raw.list_flights()}
        [[f"{field.name} {field.type}" for field in flights[name]] for name in ("clock", "timed")]`),
    ).toEqual([
      [
        ...['user_id int64', 'friend_id int64', 'user_timezone string', 'event_timestamp timestamp[us, tz=UTC]'],
        ...['local_hour int32', 'weekday int32', 'age_gap int32', 'path list<item: int64>', 'us int64'],
      ],
      [
        ...[
          'user_id int64',
          'friend_id int64',
          'user_timezone string',
          'item_id string',
          'event_timestamp timestamp[us, tz=UTC]',
        ],
        ...['home__local_hour int32', 'price decimal128(10, 2)', 'age_gap int32'],
      ],
    ]);
    const { stdout } = await runProgram(process.execPath, [cliPath, 'describe', 'clock', '--url', server.url]);
    expect(stdout).toMatch(/request +user_timezone: string/);
    expect(stdout).toMatch(/inputs +user_profile:age, user_profile@friend:age, user_profile@friend:path/);
  });
});

describe('7.4: the server runs what was applied', () => {
  const gap =
    'job = store.get_historical_features(people(4), ["clock:age_gap"])\n[job.to_arrow()["age_gap"].to_pylist(), job.report.identity]';

  it('also where a file has changed since, which only apply makes another training set', async () => {
    const before = (await python.run(gap)) as [number[], string];
    writeFileSync(join(directory, 'shared/gap.ts'), shared('+'));
    expect(await python.run(gap)).toEqual(before);
    const plan = await runProgram(process.execPath, [cliPath, 'plan', '--url', server.url]);
    expect(plan.stdout).toMatch(
      /~ on-demand feature view clock {2}\(features\/on_demand\.ts, touches timed\)\n {4}~ transform: sha256 \w+ -> sha256 \w+\n/,
    );
    expect((await runProgram(process.execPath, [cliPath, 'apply', '--yes', '--url', server.url])).status).toBe(0);
    const after = (await python.run(gap)) as [number[], string];
    expect(after[0]).not.toEqual(before[0]);
    expect(after[1]).not.toBe(before[1]);
    writeFileSync(join(directory, 'shared/gap.ts'), shared('-'));
    expect((await runProgram(process.execPath, [cliPath, 'apply', '--yes', '--url', server.url])).status).toBe(0);
    expect(await python.run(gap)).toEqual(before);
  });

  it('and apply refuses a transform that cannot be loaded, by name, so that the old one stays', async () => {
    const file = join(directory, 'features/on_demand.ts');
    const text = readFileSync(file, 'utf8');
    writeFileSync(
      file,
      text
        .replace('export const clock', 'const home = process.env.HOME;\nexport const clock')
        .replace('local_hour: hour,', 'local_hour: home ? hour : 0,'),
    );
    const { status, stderr } = await runProgram(process.execPath, [cliPath, 'apply', '--yes', '--url', server.url]);
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/transform "clock" cannot be loaded: ReferenceError: process is not defined/),
    ]);
    writeFileSync(file, text);
    expect(await python.run('still_works()')).toBe('works');
  });
});
