/** The client against a server that misbehaves in every way there is: what is wrong is said, and nothing is left running. */
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { readValue } from '../../src/arrow/read-value.ts';
import { field, type Schema } from '../../src/arrow/schema.ts';
import { type FlightClient, openFlightClient } from '../../src/client/flight-client.ts';
import type { TrainingSet } from '../../src/client/historical-query.ts';
import { FeatureStoreError } from '../../src/errors.ts';
import type { CallContext, FlightHandler } from '../../src/flight/protocol.ts';
import type { FlightServer, FlightServerOptions } from '../../src/flight/server.ts';
import {
  batchMessage,
  batchOf,
  frameOf,
  infoOf,
  reportOf,
  schema,
  schemaMessage,
  startScriptedServer,
} from './support/scripted-server.ts';

const opened: { client?: FlightClient; server?: FlightServer; socket?: Server }[] = [];

async function connect(script: Partial<FlightHandler>, options: Partial<FlightServerOptions> = {}): Promise<FlightClient> {
  const server = await startScriptedServer(script, options);
  const client = openFlightClient({ url: `grpc://127.0.0.1:${server.port}`, token: 's3cret' });
  opened.push({ client, server });
  return client;
}

afterEach(async () => {
  for (const { client, server, socket } of opened.splice(0)) {
    client?.close();
    await server?.stop(0);
    socket?.close();
  }
});

async function errorOf(promise: Promise<unknown>): Promise<FeatureStoreError> {
  const thrown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(FeatureStoreError);
  return thrown as FeatureStoreError;
}

async function readAll(set: TrainingSet): Promise<unknown[]> {
  const values: unknown[] = [];
  for await (const { batch } of set.batches()) {
    for (let row = 0; row < batch.length; row++) values.push(readValue(batch.columns[0] as never, row));
  }
  return values;
}

/** A server whose answer to any query is this. */
function answering(answer: FlightHandler['doGet'], rows = 3n): Partial<FlightHandler> {
  return { getFlightInfo: async () => infoOf(rows), doGet: answer };
}

const query = { service: 'x', path: 'frame.parquet' };

describe('actions', () => {
  it('carry JSON both ways, and the token', async () => {
    const seen: unknown[] = [];
    const client = await connect({
      async *doAction(type, body, { token }) {
        seen.push([type, Buffer.from(body).toString(), token]);
        yield Buffer.from('{"first":1}');
        if (type === 'long') yield Buffer.from('{"é":[1,2]}');
      },
    });
    expect(await client.action('long', { a: null })).toEqual({ é: [1, 2] });
    expect(await client.action('short')).toEqual({ first: 1 });
    expect(seen).toEqual([
      ['long', '{"a":null}', 's3cret'],
      ['short', '{}', 's3cret'],
    ]);
  });

  it('give undefined where there is no result', async () => {
    const client = await connect({ async *doAction() {} });
    expect(await client.action('quiet')).toBeUndefined();
  });

  it("fail with the server's own error, details and all", async () => {
    const client = await connect({
      doAction() {
        throw new FeatureStoreError('NOT_FOUND', 'nothing named "ä" –', { details: { name: 'ä', deep: [{ x: 1 }] } });
      },
    });
    expect(await errorOf(client.action('x'))).toMatchObject({
      code: 'NOT_FOUND',
      message: 'nothing named "ä" –',
      details: { name: 'ä', deep: [{ x: 1 }] },
    });
  });

  it('fail with DATA_LOSS for an answer that is no JSON, with INTERNAL for one of another form', async () => {
    const client = await connect({
      async *doAction(type) {
        yield Buffer.from(type === 'list' ? '{"rows":[{}]}' : 'nonsense');
      },
    });
    expect(await errorOf(client.action('x'))).toMatchObject({
      code: 'DATA_LOSS',
      message: expect.stringContaining('the answer to x'),
    });
    const error = await errorOf(client.catalogue('entities'));
    expect(error).toMatchObject({ code: 'INTERNAL', message: expect.stringContaining('rows.0.name') });
  });

  it('end with their time or their signal, and the server hears of it at once', async () => {
    const contexts: CallContext[] = [];
    const client = await connect({
      async *doAction(_type, _body, context) {
        contexts.push(context);
        await new Promise((_, reject) => context.signal.addEventListener('abort', () => reject(context.signal.reason)));
        yield Buffer.from('{}');
      },
    });
    expect(await errorOf(client.action('hang', {}, { timeoutMs: 150 }))).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
    expect(await errorOf(client.action('hang', {}, { signal: AbortSignal.timeout(150) }))).toMatchObject({
      code: 'DEADLINE_EXCEEDED',
    });
    const controller = new AbortController();
    const pending = errorOf(client.action('hang', {}, { signal: controller.signal }));
    await expect.poll(() => contexts.length).toBe(3);
    controller.abort();
    expect(await pending).toMatchObject({ code: 'ABORTED' });
    expect(await errorOf(client.action('hang', {}, { signal: controller.signal }))).toMatchObject({ code: 'ABORTED' });
    const own = new FeatureStoreError('ABORTED', 'Ctrl-C');
    expect(await errorOf(client.action('hang', {}, { signal: AbortSignal.abort(own) }))).toBe(own);
    await expect.poll(() => contexts.every(({ signal }) => signal.aborted)).toBe(true);
    expect(contexts).toHaveLength(3);
  });
});

describe('connecting', () => {
  it('names the address and what to do where nobody listens', async () => {
    const server = await startScriptedServer({});
    await server.stop(0);
    const client = openFlightClient({ url: `127.0.0.1:${server.port}` });
    opened.push({ client });
    const started = performance.now();
    const error = await errorOf(client.serverInfo());
    expect(error).toMatchObject({ code: 'UNAVAILABLE', details: { address: `grpc://127.0.0.1:${server.port}` } });
    expect(error.message).toMatch(/^no answer from grpc:\/\/127.0.0.1:\d+ \(.*ECONNREFUSED.*is the server running/);
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  it('gives up on a name that does not exist', async () => {
    const client = openFlightClient({ url: 'grpc://no-such-host.invalid', connectTimeoutMs: 3_000 });
    opened.push({ client });
    expect(await errorOf(client.serverInfo())).toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('gives up on a server that takes the connection and says nothing, or speaks something else', async () => {
    for (const greeting of ['', 'HTTP/1.1 400 Bad Request\r\n\r\n']) {
      const socket = createServer((connection) => connection.on('error', () => {}).write(greeting)).listen(0, '127.0.0.1');
      await new Promise((resolve) => socket.once('listening', resolve));
      const { port } = socket.address() as { port: number };
      const client = openFlightClient({ url: `grpc://127.0.0.1:${port}`, connectTimeoutMs: 500 });
      opened.push({ client, socket });
      expect(await errorOf(client.action('x'))).toMatchObject({ code: 'UNAVAILABLE' });
    }
  });

  it('comes back when the server does', async () => {
    const script: Partial<FlightHandler> = {
      async *doAction() {
        yield Buffer.from('1');
      },
    };
    const first = await startScriptedServer(script);
    const client = openFlightClient({ url: `grpc://127.0.0.1:${first.port}` });
    opened.push({ client });
    expect(await client.action('x')).toBe(1);
    await first.stop(0);
    expect(await errorOf(client.action('x'))).toMatchObject({ code: 'UNAVAILABLE' });
    opened.push({ server: await startScriptedServer(script, { port: first.port }) });
    await expect.poll(() => client.action('x').catch(() => undefined), { timeout: 5_000 }).toBe(1);
  });

  it('speaks TLS to those it trusts', async () => {
    const [certificate, key] = ['cert', 'key'].map((name) =>
      readFileSync(fileURLToPath(new URL(`../flight/support/localhost.${name}.pem`, import.meta.url))),
    ) as [Buffer, Buffer];
    const script: Partial<FlightHandler> = {
      async *doAction() {
        yield Buffer.from('1');
      },
    };
    const server = await startScriptedServer(script, { tls: { certificate, key } });
    const url = `grpc+tls://localhost:${server.port}`;
    const trusting = openFlightClient({ url, tls: { rootCertificates: certificate } });
    const doubting = openFlightClient({ url });
    const plain = openFlightClient({ url: `grpc://localhost:${server.port}` });
    opened.push({ client: trusting, server }, { client: doubting }, { client: plain });
    expect(await trusting.action('x')).toBe(1);
    expect(await errorOf(doubting.action('x'))).toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringMatching(/certificate/),
    });
    expect(await errorOf(plain.action('x'))).toMatchObject({ code: 'UNAVAILABLE', message: expect.stringMatching(/grpc\+tls/) });
  });

  it('refuses what cannot work before it tries', () => {
    expect(() => openFlightClient({ url: 'grpc://h', tls: {} })).toThrow(/without TLS/);
    expect(() => openFlightClient({ url: 'grpcs://h', tls: { key: 'x' } })).toThrow(/belong together/);
    expect(() => openFlightClient({ url: 'grpcs://h', tls: { rootCertificates: 'x', key: 'y', certificate: 'z' } })).toThrow(
      /cannot be used/,
    );
    expect(() => openFlightClient({ url: 'grpc://h', token: 'two words' })).toThrow(/token/);
  });
});

describe('training sets', () => {
  it('are whole with all rows and the report', async () => {
    const client = await connect(
      answering(async function* () {
        yield schemaMessage();
        yield batchMessage(batchOf([1n, null]));
        yield batchMessage(batchOf([3n]), reportOf(3));
      }),
    );
    const set = await client.getHistoricalFeatures(query);
    expect(set).toMatchObject({ rows: 3, query: 'q' });
    expect(() => set.report()).toThrow(expect.objectContaining({ code: 'FAILED_PRECONDITION' }));
    expect(await readAll(set)).toEqual([1n, null, 3n]);
    expect(set.report().rows).toBe(3);
    expect(await readAll(set)).toEqual([1n, null, 3n]);
  });

  it('may be of a length that only the report tells', async () => {
    const client = await connect(
      answering(async function* () {
        yield schemaMessage();
        yield batchMessage(batchOf([1n]), reportOf(1));
      }, -1n),
    );
    const set = await client.getHistoricalFeatures(query);
    expect(set.rows).toBeUndefined();
    expect(await readAll(set)).toEqual([1n]);
  });

  it.each<[string, FlightHandler['doGet'], string, bigint]>([
    [
      'fewer rows than announced',
      async function* () {
        yield schemaMessage();
        yield batchMessage(batchOf([1n]), reportOf(1));
      },
      '1 of 3 rows came',
      3n,
    ],
    [
      'fewer rows than reported, where none were announced',
      async function* () {
        yield schemaMessage();
        yield batchMessage(batchOf([1n]), reportOf(3));
      },
      '1 of 3 rows came',
      -1n,
    ],
    [
      'more rows than announced',
      async function* () {
        yield schemaMessage();
        yield batchMessage(batchOf([1n, 2n, 3n, 4n]), reportOf(4));
      },
      '4 of 3 rows came',
      3n,
    ],
    [
      'no report',
      async function* () {
        yield schemaMessage();
        yield batchMessage(batchOf([1n, 2n, 3n]));
      },
      'the final report is missing',
      3n,
    ],
    [
      'nothing but a schema',
      async function* () {
        yield schemaMessage();
      },
      '0 of 3 rows came, and the final report is missing',
      3n,
    ],
    [
      'a body cut short',
      async function* () {
        yield schemaMessage();
        const { header, body } = batchMessage(batchOf([1n, 2n, 3n]));
        yield { header, body: [Buffer.concat(body).subarray(0, 8)], metadata: Buffer.from(JSON.stringify(reportOf(3))) };
      },
      'cannot be read',
      3n,
    ],
    [
      'metadata that is no JSON',
      async function* () {
        yield schemaMessage();
        yield { ...batchMessage(batchOf([1n, 2n, 3n])), metadata: Buffer.from('{') };
      },
      'cannot be read',
      3n,
    ],
    [
      'a second schema',
      async function* () {
        yield schemaMessage();
        yield schemaMessage();
      },
      'second schema',
      3n,
    ],
  ])('with %s are DATA_LOSS', async (_, answer, message, rows) => {
    const client = await connect(answering(answer, rows));
    const set = await client.getHistoricalFeatures(query);
    expect(await errorOf(readAll(set))).toMatchObject({ code: 'DATA_LOSS', message: expect.stringContaining(message) });
    expect(() => set.report()).toThrow();
  });

  it('of other columns than announced are refused', async () => {
    const other: Schema = { fields: [field('m', { id: 'utf8' })], metadata: new Map() };
    const client = await connect(
      answering(async function* () {
        yield schemaMessage(other);
      }),
    );
    const set = await client.getHistoricalFeatures(query);
    expect(await errorOf(readAll(set))).toMatchObject({ code: 'FAILED_PRECONDITION' });
  });

  it('end with the error that ended them, however much had come', async () => {
    const client = await connect(
      answering(async function* () {
        yield schemaMessage();
        yield batchMessage(batchOf([1n, 2n, 3n]), reportOf(3));
        throw new FeatureStoreError('RESOURCE_EXHAUSTED', 'the query took too long', { details: { retry_after_seconds: 60 } });
      }),
    );
    const set = await client.getHistoricalFeatures(query);
    expect(await errorOf(readAll(set))).toMatchObject({ code: 'RESOURCE_EXHAUSTED', details: { retry_after_seconds: 60 } });
  });

  it('are refused where the server offers several endpoints, or an info that cannot be read', async () => {
    for (const wrong of [{ endpoints: [] }, { schema: Buffer.from('x') }, { metadata: Buffer.from('{}') }]) {
      const client = await connect({ getFlightInfo: async () => infoOf(1n, wrong) });
      expect((await errorOf(client.getHistoricalFeatures(query))).code).toMatch(/INTERNAL|DATA_LOSS/);
    }
  });

  it('hold the server back while they are not read, and stop it when they are left', async () => {
    let yielded = 0;
    let ended = false;
    const client = await connect(
      answering(async function* () {
        try {
          yield schemaMessage();
          const batch = batchOf(Array.from({ length: 65_536 }, (_, row) => BigInt(row)));
          for (;;) {
            yielded++;
            yield batchMessage(batch);
          }
        } finally {
          ended = true;
        }
      }, -1n),
    );
    const set = await client.getHistoricalFeatures(query);
    const batches = set.batches();
    await batches.next();
    await sleep(300);
    const held = yielded;
    await sleep(700);
    expect(yielded).toBe(held);
    expect(yielded).toBeLessThan(40); // of 512 KiB each
    for (let count = 0; count < 100; count++) await batches.next();
    expect(yielded).toBeGreaterThan(90);
    await batches.return();
    await expect.poll(() => ended).toBe(true);
  });

  it('stop with the signal, also while nothing comes', async () => {
    const contexts: CallContext[] = [];
    const client = await connect(
      answering(async function* (_ticket, context) {
        contexts.push(context);
        yield schemaMessage();
        await new Promise((resolve) => context.signal.addEventListener('abort', resolve));
      }),
    );
    const controller = new AbortController();
    const set = await client.getHistoricalFeatures(query, undefined, { signal: controller.signal });
    const pending = errorOf(readAll(set));
    await expect.poll(() => contexts.length).toBe(1);
    controller.abort();
    expect(await pending).toMatchObject({ code: 'ABORTED' });
    await expect.poll(() => contexts[0]?.signal.aborted).toBe(true);
  });
});

describe('uploads', () => {
  const refusing = (): Partial<FlightHandler> => ({ getFlightInfo: async () => infoOf(1n) });

  it('come in slices of 65,536 rows', async () => {
    const sizes: number[] = [];
    const client = await connect({
      ...refusing(),
      async *doPut(upload) {
        for await (const { body } of upload.messages) sizes.push(body.length / 8);
        yield Buffer.from('{"upload":"u","rows":131073}');
      },
    });
    const batch = batchOf(Array.from({ length: 131_073 }, (_, row) => BigInt(row)));
    await client.getHistoricalFeatures(query, { schema, batches: frameOf(batch) });
    expect(sizes).toEqual([0, 65_536, 65_536, 1]);
  });

  it('that the server took in part are DATA_LOSS', async () => {
    const client = await connect(refusing());
    const frame = { schema, batches: frameOf(batchOf([1n, 2n])) };
    expect(await errorOf(client.getHistoricalFeatures(query, frame))).toMatchObject({
      code: 'DATA_LOSS',
      message: expect.stringContaining('1 of 2'),
    });
  });

  it('that nobody confirms are DATA_LOSS', async () => {
    const client = await connect({ ...refusing(), async *doPut() {} });
    expect(await errorOf(client.getHistoricalFeatures(query, { schema, batches: frameOf() }))).toMatchObject({
      code: 'DATA_LOSS',
    });
  });

  it('fail with the error of the server, which comes after their end', async () => {
    const client = await connect({
      doPut() {
        throw new FeatureStoreError('RESOURCE_EXHAUSTED', 'no room');
      },
    });
    const frame = { schema, batches: frameOf(batchOf([1n]), batchOf([2n])) };
    expect(await errorOf(client.getHistoricalFeatures(query, frame))).toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      message: 'no room',
    });
  });

  it('fail with the error of the frame, and the server hears of it', async () => {
    let started = false;
    let ended = false;
    const client = await connect({
      async *doPut(upload) {
        started = true;
        yield* [];
        await upload.drain().finally(() => {
          ended = true;
        });
      },
    });
    const broken = new FeatureStoreError('INVALID_ARGUMENT', 'the file is cut short');
    async function* batches() {
      yield* frameOf(batchOf([1n]));
      await expect.poll(() => started).toBe(true);
      throw broken;
    }
    expect(await errorOf(client.getHistoricalFeatures(query, { schema, batches: batches() }))).toBe(broken);
    await expect.poll(() => ended).toBe(true);
  });

  it('read the frame no faster than the server takes it, and let go of it when the signal says so', async () => {
    let read = 0;
    let closed = false;
    const contexts: CallContext[] = [];
    const client = await connect({
      async *doPut(_upload, context) {
        contexts.push(context);
        yield* [];
        await new Promise((_, reject) => context.signal.addEventListener('abort', () => reject(context.signal.reason)));
      },
    });
    const batch = batchOf(Array.from({ length: 65_536 }, (_, row) => BigInt(row)));
    async function* endless() {
      try {
        for (;;) {
          read++;
          yield* frameOf(batch);
        }
      } finally {
        closed = true;
      }
    }
    const controller = new AbortController();
    const pending = errorOf(client.getHistoricalFeatures(query, { schema, batches: endless() }, { signal: controller.signal }));
    await sleep(1_000);
    const held = read;
    await sleep(500);
    expect(read).toBe(held);
    expect(read).toBeLessThan(60); // of 512 KiB each
    controller.abort();
    expect(await pending).toMatchObject({ code: 'ABORTED' });
    expect(closed).toBe(true);
    await expect.poll(() => contexts[0]?.signal.aborted).toBe(true);
  });
});
