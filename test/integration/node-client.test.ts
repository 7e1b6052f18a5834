/** The Node client against a real server: exact values, typed errors, deadlines, and the package as it is installed. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { columnFromValues } from '../../src/arrow/build.ts';
import { field } from '../../src/arrow/schema.ts';
import {
  type EntityFrame,
  FeatherflightClient,
  formatInstantUs,
  type ParityProgress,
  parseInstantUs,
} from '../../src/client/index.ts';
import { type ServerProcess, startServer } from '../support/start-server.ts';
import { makeHttpStore } from './http-store.ts';

let server: ServerProcess;
let client: FeatherflightClient;

beforeAll(async () => {
  server = await startServer(await makeHttpStore());
  client = new FeatherflightClient({ url: server.http, flightUrl: server.url });
  await client.materialize();
});

afterAll(async () => {
  await client.close();
  await server.stop();
});

describe('getOnlineFeatures', () => {
  it('has every type without loss, with status, event timestamp and default', async () => {
    const features = ['age', 'visits', 'score', 'city', 'spent', 'since', 'token', 'path'].map((name) => `user_profile:${name}`);
    const answer = await client.getOnlineFeatures({ features, entities: { user_id: [1, 9007199254740993n, 3, 4] } });
    const columns = answer.columns as Record<string, (typeof answer.columns)[string]>;
    const { age, visits, score, spent, since, token, path } = columns as Record<string, NonNullable<(typeof columns)[string]>>;
    expect(visits?.values).toEqual([5n, 9223372036854775807n, null, null]);
    expect(score?.values[1]).toBeNaN();
    expect(age?.values).toEqual([30, 2147483647, -1, -1]);
    expect(age?.statuses).toEqual(['PRESENT', 'PRESENT', 'NULL_VALUE', 'NOT_FOUND']);
    expect(age?.isDefault).toEqual([false, false, true, true]);
    expect(age?.eventTimestamps[0]).toBe(parseInstantUs('2026-01-01T00:00:00.000001Z'));
    expect(age?.eventTimestamps[3]).toBeNull();
    expect(spent?.values[0]).toBe('12.50');
    expect(since?.values[1]).toBe(-1n);
    expect(token?.values[0]).toEqual(new Uint8Array([0, 255]));
    expect(path?.values[0]).toEqual([1n, 2n]);
    expect(answer.rows()[1]).toMatchObject({ user_id: 9007199254740993n, age: 2147483647 });
  });

  it('broadcasts one user over candidates and runs the transform of a service', async () => {
    const items = Array.from({ length: 500 }, (_, at) => `item ${at}`);
    const answer = await client.getOnlineFeatures({
      service: 'ranker',
      entities: { user_id: [1], item_id: items },
      request: { factor: [2.5] },
    });
    expect(answer.rows()).toHaveLength(500);
    expect(answer.rows()[499]).toMatchObject({ user_id: 1n, item_id: 'item 499', price: 249.5, sold: 499n, times_age: 75 });
  });

  it('gives numbers for int64 where it is told to, and refuses what no number holds', async () => {
    const numbers = new FeatherflightClient({ url: server.http, int64: 'number' });
    const ask = (user_id: bigint) =>
      numbers.getOnlineFeatures({ features: ['user_profile:visits'], entities: { user_id: [user_id] } });
    expect((await ask(1n)).columns.visits?.values).toEqual([5]);
    await expect(ask(9007199254740993n)).rejects.toMatchObject({ code: 'OUT_OF_RANGE' });
    await numbers.close();
  });

  it('rejects with the code of the server, and names the nearest', async () => {
    const asked = client.getOnlineFeatures({ features: ['user_profile:agee'], entities: { user_id: [1] } });
    await expect(asked).rejects.toMatchObject({ code: 'NOT_FOUND', message: expect.stringContaining('age') });
    expect(() => new FeatherflightClient({ url: 'grpc://here' })).toThrow(/http:\/\/host:port/);
  });
});

it('pushes rows once however often they are sent, and serves them at once', async () => {
  const rows = {
    user_id: [77],
    at: [new Date('2026-02-01T00:00:00Z')],
    made: [null],
    age: [41],
    visits: [2n ** 62n],
    score: [-0],
  };
  const full = { ratio: [null], city: ['é'], spent: ['1.10'], since: [null], born: [null], token: [null], active: [null] };
  const send = () => client.push('profiles', { ...rows, ...full, path: [[1n]] }, { idempotencyKey: 'one' });
  await send();
  await send();
  const features = ['user_profile:visits', 'user_profile:score', 'user_profile:city'] as const;
  const answer = await client.getOnlineFeatures({ features, entities: { user_id: [77] } });
  expect(answer.rows()).toEqual([{ user_id: 77n, visits: 2n ** 62n, score: -0, city: 'é' }]);
});

it('writes rows of a view to the online store alone, exactly and once', async () => {
  const us = 1_772_000_000_000_001n;
  const rows = {
    user_id: [2n ** 53n + 1n],
    event_timestamp: [formatInstantUs(us)],
    created_timestamp: [null],
    age: [7],
    visits: [-(2n ** 63n)],
    score: [Number.NEGATIVE_INFINITY],
    ratio: [null],
    city: ['"\\\n'],
    spent: ['-0.01'],
    since: [new Date(-1)],
    born: ['1969-12-31'],
    token: [new Uint8Array([0, 255])],
    active: [false],
    path: [[2n ** 62n, null]],
  };
  expect(await client.writeToOnlineStore('user_profile', rows)).toMatchObject({ rows: 1, written: 1, unchanged: 0 });
  expect(await client.writeToOnlineStore('user_profile', rows)).toMatchObject({ rows: 1, written: 0, unchanged: 1 });
  const names = ['visits', 'score', 'city', 'spent', 'since', 'token', 'active', 'path'] as const;
  const features = names.map((name) => `user_profile:${name}`);
  const answer = await client.getOnlineFeatures({ features, entities: { user_id: rows.user_id } });
  const { visits, score, city, spent, token, active, path } = rows;
  const expected = { visits, score, city, spent, since: [-1000n], token, active, path };
  for (const name of names) {
    expect([name, answer.columns[name]?.values, answer.columns[name]?.eventTimestamps]).toEqual([name, expected[name], [us]]);
  }
  await client.writeToOnlineStore('user_profile', { ...rows, user_id: [90n], score: [1e17] });
  const large = await client.getOnlineFeatures({ features: ['user_profile:score'], entities: { user_id: [90n] } });
  expect(large.columns.score?.values).toEqual([1e17]);
  const rounded = client.writeToOnlineStore('user_profile', { ...rows, visits: [2 ** 60] });
  await expect(rounded).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('"visits", row 0') });
  const asked = client.getOnlineFeatures({ features: ['user_profile:score'], entities: { user_id: [2 ** 60] } });
  await expect(asked).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('bigint') });
  const wrong = client.writeToOnlineStore('user_profile', { ...rows, agee: [1] });
  await expect(wrong).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('"age"') });
});

it('reads the catalogue over HTTP and talks Flight beside it', async () => {
  expect((await client.catalogue('feature-services')).map((row) => row.name)).toEqual(['plain', 'ranker']);
  expect((await (await client.flight()).serverInfo()).project).toBe('shop');
});

describe('checks', () => {
  it('parity live and out of the log, with progress, and refuses what is not there with the nearest', async () => {
    const features = ['item_stats:sold', 'user_profile:visits'];
    const progress: ParityProgress[] = [];
    const report = await client.checkParity({ live: true, features, sample: 50 }, { onProgress: (now) => progress.push(now) });
    expect([report.kind, report.mode, report.features.map(({ feature }) => feature).sort()]).toEqual([
      'parity',
      'live',
      ['sold', 'visits'],
    ]);
    expect(
      report.features.find(({ feature }) => feature === 'sold'),
      JSON.stringify(report),
    ).toMatchObject({ n: 50, share_within: 1, result: 'PASS', causes: {} });
    expect(progress.at(-1)?.pairs).toBe(report.summary.pairs);
    const from = parseInstantUs('2026-01-01T00:00:00Z');
    expect(await client.checkParity({ from, to: from + 1n })).toMatchObject({
      result: 'NO DATA',
      from: '2026-01-01T00:00:00.000000Z',
      summary: { pairs: 0, advice: expect.stringContaining('nothing is logged') },
    });
    const refused = client.checkParity({ features: ['user_profile:agee'] });
    await expect(refused).rejects.toMatchObject({ code: 'NOT_FOUND', message: expect.stringContaining('age') });
  });

  it('leaks of a frame, and drift against one', async () => {
    const row = { item_id: 'item 4', event_timestamp: parseInstantUs('2026-02-01T00:00:00Z'), sold: 4n };
    const frame = itemFrame([row]);
    const leaks = await client.auditLeaks({ table: true, columns: { sold: 'item_stats:sold' } }, frame);
    expect(leaks, JSON.stringify(leaks)).toMatchObject({
      kind: 'leaks',
      result: 'PASS',
      features: [{ verdict: 'clean', rows: 1 }],
    });
    const drift = await client.drift({ columns: { sold: 'item_stats:sold' } }, itemFrame([row]));
    expect(drift).toMatchObject({ kind: 'drift', result: 'NO DATA', reference: { kind: 'frame', rows: 1 } });
  });
});

/** Items, times and a feature that were made elsewhere. */
function itemFrame(rows: readonly { item_id: string; event_timestamp: bigint; sold: bigint }[]): EntityFrame {
  const fields = [
    field('item_id', { id: 'utf8' }),
    field('event_timestamp', { id: 'timestamp', unit: 'us', timezone: 'UTC' }),
    field('sold', { id: 'int', bits: 64, signed: true }),
  ];
  const columns = fields.map((one) =>
    columnFromValues(
      one,
      rows.map((row) => row[one.name as keyof typeof row]),
    ),
  );
  const schema = { fields, metadata: new Map<string, string>() };
  async function* batches() {
    yield { batch: { schema, length: rows.length, columns }, dictionaries: new Map() };
  }
  return { schema, batches: batches() };
}

describe('with a server that fails', () => {
  const serve = async (answer: RequestListener) => {
    const failing = createServer(answer);
    await new Promise<void>((resolve) => failing.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(failing.address() as AddressInfo).port}`;
    return { url, stop: () => new Promise((resolve) => failing.close(resolve).closeAllConnections()) };
  };
  const query = { features: ['a:b'], entities: { id: [1] } };
  const done = { evaluated_at: '2026-01-01T00:00:00.000000Z', rows: 0, entities: {}, columns: {} };

  it('tries again what is away for the moment, and no more often than it is told to', async () => {
    let calls = 0;
    const { url, stop } = await serve((_request, response) => {
      response.statusCode = ++calls < 3 ? 503 : 200;
      response.end(JSON.stringify(calls < 3 ? { error: { code: 'UNAVAILABLE', message: 'away', details: {} } } : done));
    });
    const patient = new FeatherflightClient({ url });
    expect((await patient.getOnlineFeatures(query)).rows()).toEqual([]);
    calls = 0;
    const hasty = new FeatherflightClient({ url, retries: 0 });
    await expect(hasty.getOnlineFeatures(query)).rejects.toMatchObject({ code: 'UNAVAILABLE', message: 'away' });
    expect(calls).toBe(1);
    await stop();
  });

  it('ends at its deadline and when its caller says so', async () => {
    const { url, stop } = await serve(() => {});
    const waiting = new FeatherflightClient({ url, timeoutMs: 50 });
    await expect(waiting.getOnlineFeatures(query)).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    const asked = waiting.getOnlineFeatures(query, { signal: AbortSignal.abort(), timeoutMs: 10_000 });
    await expect(asked).rejects.toMatchObject({ code: 'ABORTED' });
    await stop();
  });
});

it('works from a packed package in ES modules and in CommonJS, without loading gRPC', () => {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const folder = mkdtempSync(join(tmpdir(), 'featherflight-package-'));
  try {
    const run = (command: string, ...args: string[]) =>
      execFileSync(command, args, { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
    run('npm', 'pack', root, '--ignore-scripts', '--silent');
    run('sh', '-c', 'mkdir -p node_modules/featherflight && tar xzf *.tgz --strip-components=1 -C node_modules/featherflight');
    // The dependencies of the checkout stand in for an installation, which would need a registry.
    run('sh', '-c', `for each in ${root}/node_modules/*; do ln -s "$each" node_modules/ 2>/dev/null || true; done`);
    const body = `new FeatherflightClient({ url: '${server.http}' }).getOnlineFeatures({ service: 'plain',
      entities: { user_id: [1], item_id: ['item 4'] } }).then((answer) => console.log(answer.rows()[0].sold, answer.rows()[0].age));`;
    writeFileSync(join(folder, 'ask.mjs'), `import { FeatherflightClient } from 'featherflight/client';\n${body}\n`);
    writeFileSync(
      join(folder, 'ask.cjs'),
      `const { FeatherflightClient } = require('featherflight/client');\n${body}
      if (Object.keys(require.cache).some((path) => path.includes('grpc'))) throw new Error('gRPC is loaded');\n`,
    );
    for (const script of ['ask.mjs', 'ask.cjs']) expect(run(process.execPath, script)).toContain('4n 30');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
