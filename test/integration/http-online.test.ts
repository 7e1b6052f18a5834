/** Features over real HTTP: what is written comes back without loss, in our form, in Arrow and in Feast's; what is wrong is said. */
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readValue } from '../../src/arrow/read-value.ts';
import { decodeRecordBatch } from '../../src/arrow/record-batch.ts';
import { decodeSchemaMessage, readEncapsulated } from '../../src/arrow/schema-message.ts';
import { call, type HttpAnswer, post } from '../support/http-client.ts';
import { type ServerProcess, startServer } from '../support/start-server.ts';
import { makeHttpStore } from './http-store.ts';

let server: ServerProcess;
const all = ['age', 'visits', 'score', 'ratio', 'city', 'spent', 'since', 'born', 'token', 'active', 'path'];

interface Column {
  readonly type: string;
  readonly values: readonly unknown[];
  readonly statuses: readonly string[];
  readonly event_timestamps: readonly (string | null)[];
  readonly is_default: readonly boolean[];
}
interface Answer {
  readonly evaluated_at: string;
  readonly rows: number;
  readonly never_materialized: readonly string[];
  readonly columns: Readonly<Record<string, Column>>;
}

beforeAll(async () => {
  server = await startServer(await makeHttpStore({ http: { maxBodyBytes: 200_000, maxRows: 1_000 } }), {
    environment: { FEATHERFLIGHT_LOG_LEVEL: 'debug' },
  });
});
afterAll(async () => {
  await server?.stop();
});

const online = (body: unknown, headers?: Record<string, string>) => post(`${server.http}/api/v1/online-features`, body, headers);
const feast = (body: unknown) => post(`${server.http}/get-online-features`, body);
const columnsOf = (answer: HttpAnswer) => {
  expect(answer.text).toContain('"columns"');
  return (answer.json() as Answer).columns;
};
const errorOf = (answer: HttpAnswer) => (answer.json() as { error: { code: string; message: string } }).error;
const profile = all.map((name) => `user_profile:${name}`);
const users = { user_id: [1, '9007199254740993', 3, 4, null] };

it('says of views that were never materialized that NOT_FOUND means nothing, and gives their defaults', async () => {
  const answer = await online({ features: ['user_profile:age'], entities: { user_id: [1] } });
  expect(answer.json()).toMatchObject({
    never_materialized: ['user_profile'],
    columns: { age: { values: [-1], statuses: ['NOT_FOUND'], is_default: [true], event_timestamps: [null] } },
  });
});

describe('once materialized', () => {
  beforeAll(async () => {
    const answer = await post(`${server.http}/api/v1/materialize`, {});
    expect(answer.json()).toMatchObject({
      start: null,
      views: [
        { view: 'item_stats', written: 600 },
        { view: 'user_profile', written: 3 },
      ],
    });
  });

  it('gives every type without loss, with status, event timestamp and default of each value', async () => {
    const answer = await online({ features: profile, entities: users });
    expect(answer.status).toBe(200);
    const columns = columnsOf(answer);
    expect(Object.keys(columns)).toEqual(all);
    expect(Object.fromEntries(all.map((name) => [name, columns[name]?.values]))).toEqual({
      age: [30, 2147483647, -1, -1, -1],
      visits: ['5', '9223372036854775807', null, null, null],
      score: [0.5, 'NaN', null, null, null],
      ratio: [Math.fround(0.1), 'Infinity', null, null, null],
      city: ['Zürich', '"\\', null, null, null],
      spent: ['12.50', '-0.01', null, null, null],
      since: ['2026-01-02T03:04:05.678901Z', '1969-12-31T23:59:59.999999Z', null, null, null],
      born: ['1990-02-03', '1969-12-31', null, null, null],
      token: ['AP8=', '', null, null, null],
      active: [true, false, null, null, null],
      path: [['1', '2'], [], null, null, null],
    });
    expect(columns.age).toEqual({
      view: 'user_profile',
      feature: 'age',
      type: 'int32',
      values: [30, 2147483647, -1, -1, -1],
      statuses: ['PRESENT', 'PRESENT', 'NULL_VALUE', 'NOT_FOUND', 'NOT_FOUND'],
      event_timestamps: ['2026-01-01T00:00:00.000001Z', '2026-01-02T00:00:00.000000Z', '2026-01-03T00:00:00.000000Z', null, null],
      is_default: [false, false, true, true, true],
    });
    const { evaluated_at, entities, rows } = answer.json() as Answer & { entities: object };
    expect(Math.abs(Date.parse(evaluated_at) - Date.now())).toBeLessThan(60_000);
    expect([entities, rows]).toEqual([{ user_id: { type: 'int64', values: ['1', '9007199254740993', '3', '4', null] } }, 5]);
  });

  it('reads integers above 2^53 exactly, as JSON numbers and as text', async () => {
    const ask = (list: string) =>
      call(`${server.http}/api/v1/online-features`, {
        body: `{"features": ["user_profile:visits"], "entities": {"user_id": [${list}]}}`,
      });
    const read = columnsOf(await ask('9007199254740993, 9007199254740992, "9007199254740993", "9007199254740992"'));
    expect(read.visits?.statuses).toEqual(['PRESENT', 'NOT_FOUND', 'PRESENT', 'NOT_FOUND']);
    for (const huge of [
      '9223372036854775808',
      '"9223372036854775808"',
      '1e30',
      '-1e19',
      '1.5',
      'true',
      '"x"',
      '{}',
      '[1]',
      '1e999',
    ]) {
      const refused = await ask(huge);
      expect([huge, refused.status, errorOf(refused).code]).toEqual([huge, 400, 'INVALID_ARGUMENT']);
    }
  });

  it('joins one user with 500 candidates, whose column is broadcast', async () => {
    const item_id = Array.from({ length: 500 }, (_, index) => `item ${index + 200}`);
    const read = columnsOf(await online({ service: 'ranker', entities: { user_id: [1], item_id }, request: { factor: [0.5] } }));
    expect(read.price?.values.slice(0, 3)).toEqual([100, 100.5, 101]);
    expect(read.price?.statuses.filter((status) => status === 'NOT_FOUND')).toHaveLength(100);
    expect(read.times_age?.values).toEqual(Array(500).fill(15));
    expect(new Set(read.age?.values)).toEqual(new Set([30]));
  });

  it('leaves out what stands beside the values where that is not wanted', async () => {
    const read = columnsOf(await online({ features: ['user_profile:age'], entities: users, statuses: false }));
    expect(read).toEqual({ age: { view: 'user_profile', feature: 'age', type: 'int32', values: [30, 2147483647, -1, -1, -1] } });
  });

  it('answers in Arrow where that is accepted, in the columns of a training set', async () => {
    const answer = await online({ features: profile, entities: users }, { accept: 'application/vnd.apache.arrow.stream' });
    expect(answer.headers['content-type']).toBe('application/vnd.apache.arrow.stream');
    const head = readEncapsulated(answer.bytes);
    const schema = decodeSchemaMessage(head.header);
    const message = readEncapsulated(answer.bytes, head.bodyEnd);
    const batch = decodeRecordBatch(schema, message.header, answer.bytes.subarray(message.bodyStart, message.bodyEnd));
    const valuesOf = (name: string) => {
      const column = batch.columns.find((each) => each.field.name === name);
      return Array.from({ length: batch.length }, (_, row) => column && readValue(column, row));
    };
    expect(valuesOf('visits')).toEqual([5n, 9223372036854775807n, null, null, null]);
    expect(valuesOf('since')).toEqual([1767323045678901n, -1n, null, null, null]);
    expect(valuesOf('born')).toEqual([7338, -1, null, null, null]);
    expect(valuesOf('spent')).toEqual(['12.50', '-0.01', null, null, null]);
    expect(valuesOf('path')).toEqual([[1n, 2n], [], null, null, null]);
    expect(valuesOf('age__status')).toEqual(['PRESENT', 'PRESENT', 'NULL_VALUE', 'NOT_FOUND', 'NOT_FOUND']);
    expect(valuesOf('age__is_default')).toEqual([false, false, true, true, true]);
    expect(schema.metadata.get('featherflight.evaluated_at')).toMatch(/^20\d\d-.*Z$/);
    expect(answer.bytes.subarray(message.bodyEnd)).toEqual(Buffer.from([255, 255, 255, 255, 0, 0, 0, 0]));
  });

  it('compresses large answers as asked, and small ones never', async () => {
    const body = { features: profile, entities: { user_id: Array(300).fill(1) } };
    const plain = await online(body);
    for (const [asked, encoding, unpack] of [
      ['gzip', 'gzip', gunzipSync],
      ['gzip, deflate, br', 'br', brotliDecompressSync],
      ['br;q=0.1, gzip;q=0.5', 'gzip', gunzipSync],
    ] as const) {
      const answer = await online(body, { 'accept-encoding': asked });
      expect(answer.headers['content-encoding']).toBe(encoding);
      expect(answer.bytes.length).toBeLessThan(plain.bytes.length / 5);
      expect(JSON.parse(unpack(answer.bytes).toString()).columns).toEqual(columnsOf(plain));
    }
    for (const asked of ['identity', 'gzip;q=0', 'deflate']) {
      expect((await online(body, { 'accept-encoding': asked })).headers['content-encoding']).toBeUndefined();
    }
    const small = await online({ features: ['user_profile:age'], entities: users }, { 'accept-encoding': 'gzip' });
    expect(small.headers['content-encoding']).toBeUndefined();
  });

  it("answers Feast's clients column by column: join keys first, doubles with a point, unknown things by Feast's own errors", async () => {
    const features = ['user_profile:visits', 'user_profile:score', 'user_profile:ratio', 'item_stats:price'];
    const entities = { user_id: [1, 4], item_id: ['item 2', 'item 4'] };
    const answer = await feast({ features, entities, full_feature_names: true, include_feature_view_version_metadata: true });
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/json']);
    expect(answer.text).toContain(
      '"values":[5,null],"statuses":["PRESENT","NOT_FOUND"],"event_timestamps":["2026-01-01T00:00:00.000001Z","1970-01-01T00:00:00Z"]',
    );
    expect(answer.text).toContain('"values":[1,4],"statuses":["PRESENT","PRESENT"]');
    expect(answer.text).toContain('"values":[0.1,null]');
    expect(answer.text).toContain('"values":[1.0,2.0]');
    const { metadata } = answer.json() as { metadata: object };
    expect(metadata).toMatchObject({
      feature_names: [
        'user_id',
        'item_id',
        'user_profile__visits',
        'user_profile__score',
        'user_profile__ratio',
        'item_stats__price',
      ],
      feature_view_metadata: [
        { name: 'user_profile', version: 0 },
        { name: 'item_stats', version: 0 },
      ],
      evaluated_at: expect.stringMatching(/Z$/),
    });
    const bare = await feast({ feature_service: 'plain', entities });
    expect((bare.json() as { metadata: object }).metadata).toMatchObject({
      feature_names: ['user_id', 'item_id', 'age', 'score', 'price', 'sold'],
    });
    const toldOf = async (body: unknown) => {
      const refused = await feast(body);
      return { status: refused.status, ...JSON.parse(refused.json() as string) };
    };
    expect(await toldOf({ features: ['user_profil:age'], entities })).toMatchObject({
      status: 404,
      module: 'feast.errors',
      class: 'FeatureViewNotFoundException',
      code: 'NOT_FOUND',
      message: expect.stringContaining('did you mean "user_profile"?'),
    });
    expect(await toldOf({ feature_service: 'rankr', entities })).toMatchObject({
      status: 404,
      class: 'FeatureServiceNotFoundException',
    });
    expect(await toldOf({ features: ['user_profile:age'], entities: { user_id: ['x'] } })).toMatchObject({
      status: 400,
      class: 'FeastError',
    });
    expect(await toldOf({ features: ['user_profile:age'] })).toMatchObject({ status: 400, class: 'FeastError' });
    const search = await post(`${server.http}/search`, {});
    expect([search.status, JSON.parse(search.json() as string).class]).toEqual([404, 'FeastError']);
  });

  it('takes pushes into both paths, and rows of a view into the online store alone', async () => {
    const rows = { user_id: [7, '8'], at: ['2026-02-01T00:00:00Z', '2026-02-01T00:00:00Z'], made: [null, null], age: [41, 42] };
    const pushed = await post(
      `${server.http}/api/v1/push`,
      { source: 'profiles', rows: { ...fill(2), ...rows } },
      { 'idempotency-key': 'one' },
    );
    expect([pushed.status, pushed.json()]).toEqual([200, { rows: 2, archived: true, written: 2, unchanged: 0, erased: 0 }]);
    const again = await post(`${server.http}/api/v1/push`, {
      source: 'profiles',
      rows: { ...fill(2), ...rows },
      idempotency_key: 'one',
    });
    expect(again.json()).toMatchObject({ archived: false, written: 0 });
    const df = {
      user_id: [9],
      ...fill(1),
      at: undefined,
      made: undefined,
      age: [43],
      since: [1.0],
      event_timestamp: ['2026-02-02T00:00:00'],
      created: [null],
    };
    const written = await post(`${server.http}/write-to-online-store`, {
      feature_view_name: 'user_profile',
      df,
      allow_registry_cache: false,
    });
    expect([written.status, written.text]).toEqual([200, 'null']);
    const feastPush = {
      push_source_name: 'profiles',
      to: 'online',
      df: { ...fill(1), user_id: [10], at: ['2026-02-03T00:00:00'], made: [null], age: [44] },
    };
    const pushedByFeast = await post(`${server.http}/push`, feastPush);
    expect([pushedByFeast.text, pushedByFeast.status]).toEqual(['', 200]);
    const read = columnsOf(
      await online({ features: ['user_profile:age', 'user_profile:since'], entities: { user_id: [7, 8, 9, 10] } }),
    );
    expect(read.age?.values).toEqual([41, 42, 43, 44]);
    expect(read.age?.event_timestamps[3]).toBe('2026-02-03T00:00:00.000000Z');
    expect(read.since?.values[2]).toBe('1970-01-01T00:00:01.000000Z');
  });

  it('materializes for Feast too, and tells how far it is to whoever reads line by line', async () => {
    const range = { start_ts: '2025-12-31T12:00:00+00:00', end_ts: '2026-11-01T12:00:00+00:00', feature_views: ['user_profile'] };
    const done = await post(`${server.http}/materialize`, range);
    expect([done.status, done.text]).toEqual([200, 'null']);
    const { end_ts } = range;
    expect((await post(`${server.http}/materialize-incremental`, { end_ts, feature_views: null })).text).toBe('null');
    const later = await post(`${server.http}/materialize-incremental?async=true`, { end_ts, feature_views: ['user_profile'] });
    expect([later.status, later.json()]).toEqual([202, { status: 'accepted', feature_views: ['user_profile'] }]);
    const unknown = await post(`${server.http}/materialize-incremental`, { end_ts, feature_views: ['nope'] });
    expect([unknown.status, JSON.parse(unknown.json() as string).class]).toEqual([404, 'FeatureViewNotFoundException']);
    const lines = await post(`${server.http}/api/v1/materialize`, { views: ['item_stats'] }, { accept: 'application/x-ndjson' });
    const last = lines.text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
      .at(-1);
    expect(last).toMatchObject({ done: { views: [{ view: 'item_stats' }] } });
  });

  it('has no features or keys in its log', async () => {
    await online({ features: profile, entities: { user_id: ['9007199254740993'] } });
    await online({ features: profile, entities: { user_id: ['Zanzibar'] } });
    const log = server.log();
    expect(log).toContain('http request answered');
    expect(log).toContain('http request refused');
    expect(log).not.toMatch(/9007199254740993|9223372036854775807|Zürich|Zanzibar|idempotency/);
  });
});

/** The columns of the source that a push must bring, as nulls. */
function fill(rows: number): Record<string, unknown[] | undefined> {
  return Object.fromEntries(all.map((name) => [name, Array(rows).fill(null)]));
}
