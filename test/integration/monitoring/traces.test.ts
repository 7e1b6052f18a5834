/** Traces of real servers, as a collector gets them over OTLP: what stands below what, whose trace it is, and what happens without one. */
import { context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { FeatherflightClient } from '../../../src/client/index.ts';
import { call, post } from '../../support/http-client.ts';
import { type CollectedSpan, type Collector, startCollector } from '../../support/start-collector.ts';
import { freePort } from '../../support/start-redis.ts';
import { type ServerProcess, startServer } from '../../support/start-server.ts';
import { makeShop } from './make-shop.ts';

let directory = '';
let collector: Collector;
let server: ServerProcess | undefined;

beforeAll(async () => {
  directory = await makeShop();
  collector = await startCollector();
});
afterEach(async () => {
  await server?.stop();
});
afterAll(async () => {
  await collector?.stop();
});

async function serve(environment: Readonly<Record<string, string>>): Promise<ServerProcess> {
  server = await startServer(directory, { environment: { OTEL_BSP_SCHEDULE_DELAY: '100', ...environment } });
  return server;
}

const online = { service: 'ranker', entities: { user_id: ['1', '2'] } };
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';
const traceparent = `00-${traceId}-${spanId}-01`;
const waiting = { timeout: 30_000, interval: 100 };

const spansOf = (trace: string): readonly CollectedSpan[] => collector.spans.filter((span) => span.traceId === trace);
const spanOf = (trace: string, name: string): CollectedSpan => {
  const found = spansOf(trace).find((span) => span.name === name);
  expect(found, `${name} of ${spansOf(trace).map((span) => span.name)}`).toBeDefined();
  return found as CollectedSpan;
};

/** Name -> the name of the span above it; what is above all is not of the server. */
function tree(trace: string): Readonly<Record<string, string>> {
  const spans = spansOf(trace);
  const nameOf = (id: string) => spans.find((span) => span.spanId === id)?.name ?? id;
  return Object.fromEntries(spans.map(({ name, parentSpanId }) => [name, nameOf(parentSpanId)]));
}

describe('with a collector', () => {
  it('a request is below the span of its traceparent, and round trips below it', async () => {
    const { http } = await serve({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_SERVICE_NAME: 'shop-features' });
    const answer = await post(`${http}/api/v1/online-features`, online, { traceparent, 'x-request-id': 'mine' });
    expect(answer.status, answer.text).toBe(200);
    await vi.waitFor(() => spanOf(traceId, 'POST /api/v1/online-features'), waiting);
    const name = 'POST /api/v1/online-features';
    expect(tree(traceId)).toEqual({ [name]: spanId, 'online_store read': name });
    const request = spanOf(traceId, name);
    expect(request.kind).toBe(2);
    expect(request.attributes).toMatchObject({
      'http.route': '/api/v1/online-features',
      'http.response.status_code': 200,
      request_id: 'mine',
    });
    expect(request.resource).toMatchObject({ 'service.name': 'shop-features' });
    expect(request.status.code).toBe(0);
    expect(request.nanoseconds).toBeGreaterThanOrEqual(spanOf(traceId, 'online_store read').nanoseconds);
  });

  it('a refusal is no failure of the server, its message stays out of it, and probes have no spans', async () => {
    const { http } = await serve({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
    const refused = 'a'.repeat(32);
    const asked = { features: ['user_profile:secret_name'], entities: { user_id: ['1'] } };
    const answer = await post(`${http}/api/v1/online-features`, asked, { traceparent: `00-${refused}-${spanId}-01` });
    expect(answer.status).toBe(404);
    for (const path of ['/health', '/ready', '/metrics'])
      await call(`${http}${path}`, { headers: { traceparent: `00-${refused}-${spanId}-01` } });
    await server?.stop();
    expect(tree(refused)).toEqual({ 'POST /api/v1/online-features': spanId });
    expect(spanOf(refused, 'POST /api/v1/online-features')).toMatchObject({
      status: { code: 0 },
      resource: { 'service.name': 'featherflight' },
    });
    expect(JSON.stringify(spansOf(refused), (_, value) => (typeof value === 'bigint' ? Number(value) : value))).not.toContain(
      'secret_name',
    );
  });

  it('a run of materialize asked for over HTTP is on with the same trace on the other thread, and a batch of a stream is traced', async () => {
    const { http } = await serve({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
    const run = 'b'.repeat(32);
    await post(`${http}/api/v1/materialize`, { views: ['user_profile'] }, { traceparent: `00-${run}-${spanId}-01` });
    const at = new Date(Date.now() - 60_000).toISOString();
    await post(`${http}/api/v1/push`, { source: 'clicks', rows: { user_id: ['1', '2'], at: [at, at], amount: ['4', '5'] } });
    const batch = await vi.waitFor(() => {
      const found = collector.spans.find(({ name }) => name === 'stream batch');
      expect(found).toBeDefined();
      return found as CollectedSpan;
    }, waiting);
    expect(batch).toMatchObject({ parentSpanId: '', attributes: { source: 'clicks', records: 1 } });
    const below = collector.spans.filter(({ parentSpanId }) => parentSpanId === batch.spanId).map(({ name }) => name);
    expect(below).toEqual(expect.arrayContaining(['online_store read', 'online_store replace']));
    await server?.stop();
    expect(tree(run)).toMatchObject({
      'POST /api/v1/materialize': spanId,
      'worker materialize': 'POST /api/v1/materialize',
      materialize: 'worker materialize',
      'online_store replace': 'materialize',
    });
    expect(spanOf(run, 'materialize').attributes).toEqual({ views: 'user_profile' });
  });

  it('a training set of the Node client is below the span of the program that asks, by queue, sort and first batch', async () => {
    const { http, url } = await serve({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    propagation.setGlobalPropagator(new W3CTraceContextPropagator());
    const client = new FeatherflightClient({ url: http, flightUrl: url });
    const asked = 'c'.repeat(32);
    const active = trace.setSpanContext(context.active(), { traceId: asked, spanId, traceFlags: 1 });
    try {
      await context.with(active, async () => {
        await client.getOnlineFeatures(online);
        const set = await client.getHistoricalFeatures({ service: 'ranker', path: 'frames/users.parquet' });
        let rows = 0;
        for await (const { batch } of set.batches()) rows += batch.length;
        expect(rows).toBe(4);
      });
    } finally {
      await client.close();
      context.disable();
      propagation.disable();
    }
    await server?.stop();
    const get = 'arrow.flight.protocol.FlightService/DoGet';
    expect(tree(asked)).toMatchObject({
      'POST /api/v1/online-features': spanId,
      'arrow.flight.protocol.FlightService/GetFlightInfo': spanId,
      [get]: spanId,
      'historical queue': get,
      'historical sort': get,
      'historical first_batch': get,
    });
    expect(spanOf(asked, get)).toMatchObject({
      kind: 2,
      attributes: { 'rpc.system': 'grpc', 'rpc.method': 'DoGet', 'rpc.grpc.status_code': 0 },
    });
  });

  it('the sampler of the environment decides', async () => {
    const { http } = await serve({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_TRACES_SAMPLER: 'always_off' });
    const none = 'd'.repeat(32);
    await post(`${http}/api/v1/online-features`, online, { traceparent: `00-${none}-${spanId}-01` });
    await server?.stop();
    expect(spansOf(none)).toEqual([]);
  });
});

describe('without one', () => {
  const ask = async (http: string) => {
    const answer = await post(`${http}/api/v1/online-features`, online, { traceparent });
    expect(answer.status, answer.text).toBe(200);
  };

  it.each<Readonly<Record<string, string>>>([
    { OTEL_EXPORTER_OTLP_ENDPOINT: '' },
    { OTEL_SDK_DISABLED: 'true' },
    { OTEL_TRACES_EXPORTER: 'none' },
  ])('nothing is sent or said: %o', async (environment) => {
    const before = collector.requests;
    const { http } = await serve({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...environment });
    await ask(http);
    await server?.stop();
    expect(collector.requests).toBe(before);
    expect(server?.log()).not.toContain('trace');
  });

  it.each([
    [{ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, 'only http/protobuf is spoken'],
    [{ OTEL_TRACES_EXPORTER: 'zipkin' }, 'only otlp is known'],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' }, 'is no http:// or https:// address'],
  ])('what cannot be done is said, once, and the server serves: %o', async (environment, said) => {
    const { http } = await serve({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...environment });
    await ask(http);
    expect(server?.log().split(said)).toHaveLength(2);
  });

  it('one that is away is told of once, harms no request, and leaving takes no longer', async () => {
    const { http } = await serve({
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${await freePort()}`,
      OTEL_EXPORTER_OTLP_TIMEOUT: '500',
    });
    for (let round = 0; round < 20; round++) await ask(http);
    await vi.waitFor(() => expect(server?.log()).toContain('traces could not be sent'), waiting);
    await ask(http);
    const startedMs = performance.now();
    expect(await server?.stop()).toMatchObject({ status: 0 });
    expect(performance.now() - startedMs).toBeLessThan(15_000);
  });

  it('one that refuses is told of, and told of again when it takes traces', async () => {
    collector.answer(400);
    const { http } = await serve({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
    await ask(http);
    await vi.waitFor(() => expect(server?.log()).toContain('traces could not be sent'), waiting);
    collector.answer(200);
    await ask(http);
    await vi.waitFor(() => expect(server?.log()).toContain('traces are sent again'), waiting);
  });
});
