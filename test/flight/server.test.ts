/** The Flight server against pyarrow's own client. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FeatureStoreError } from '../../src/errors.ts';
import { type FlightServer, type FlightServerOptions, startFlightServer } from '../../src/flight/server.ts';
import { silentLogger } from '../../src/observe.ts';
import { runClient } from './support/python.ts';
import { createShelfHandler, type ShelfHandler } from './support/shelf-handler.ts';

let handler: ShelfHandler;
let server: FlightServer;
let logged: string[];

async function start(options: Partial<FlightServerOptions> = {}): Promise<void> {
  const logger = { ...silentLogger, error: (_: object, message: string) => logged.push(message) };
  server = await startFlightServer(handler, { host: '127.0.0.1', port: 0, logger, ...options });
}

beforeEach(async () => {
  handler = createShelfHandler();
  logged = [];
  await start();
});

afterEach(() => server.stop(0));

/** Waits until nothing runs, at most a second. */
async function idleWithinASecond(): Promise<void> {
  await expect.poll(() => handler.running, { interval: 20 }).toBe(0);
}

describe('the methods', () => {
  it('answer a pyarrow client', async () => {
    expect(await runClient('every_method', [server.port])).toBe('ok');
    expect(handler.running).toBe(0);
  });

  it('see the bearer token and the headers', async () => {
    expect(await runClient('token', [server.port])).toEqual(['hi', 'done']);
    const context = handler.contexts.at(-1);
    expect(context?.token).toBe('s3cret');
    expect(context?.headers.get('x-two')).toBe('1, 2');
    expect(context?.peer).toMatch(/^127\.0\.0\.1:\d+$/);
  });

  it('speak TLS', async () => {
    const [certificate, key] = ['cert', 'key'].map((name) =>
      fileURLToPath(new URL(`support/localhost.${name}.pem`, import.meta.url)),
    ) as [string, string];
    await server.stop(0);
    await start({ tls: { certificate: readFileSync(certificate), key: readFileSync(key) } });
    expect(await runClient('tls', [server.port, certificate])).toEqual(['hi', 'done']);
  });

  it('take and send a batch of 100 MB in one message', async () => {
    expect(await runClient('large', [server.port, 100])).toBe(true);
  });
});

describe('memory', () => {
  it('that a handler uses again after yielding it has been sent by then', async () => {
    expect(await runClient('reused', [server.port])).toBe('ok');
  });
});

describe('errors', () => {
  it('reach the client with code, message and details, early and in mid-stream', async () => {
    const outcomes = (await runClient('all_errors', [server.port])) as Record<string, [string, object, string]>;
    const missing = (name: string) => ({ code: 'NOT_FOUND', message: `nothing named "${name}" – é`, details: { name } });
    expect(outcomes.info).toEqual(['ArrowKeyError', missing('nope'), expect.stringContaining('nothing named "nope" – é')]);
    expect(outcomes.schema?.[1]).toEqual(missing('nope'));
    expect(outcomes.get?.[1]).toEqual(missing('nope'));
    expect(outcomes.mid_stream?.[1]).toEqual({
      code: 'RESOURCE_EXHAUSTED',
      message: 'too much',
      details: { retry_after_seconds: 2 },
    });
    expect(outcomes.seen).toEqual([1000, 1000, 1000, 1000, 1000]);
    expect(outcomes.empty?.slice(0, 2)).toEqual([
      'FlightInternalError',
      { code: 'INTERNAL', message: 'the answer ended without a schema', details: {} },
    ]);
    expect(outcomes.put?.[1]).toEqual({ code: 'INVALID_ARGUMENT', message: 'refused at once', details: { early: true } });
    expect(outcomes.exchange?.[1]).toEqual({ code: 'OUT_OF_RANGE', message: 'asked to fail', details: {} });
    expect(outcomes.crash?.[0]).toBe('FlightInternalError');
    expect(outcomes.crash?.[1]).toMatchObject({ code: 'INTERNAL' });
    expect(logged).toEqual(['flight call failed']);
    expect(outcomes.timeout?.[0]).toBe('FlightTimedOutError');
    await idleWithinASecond();
  });

  it('keep trailers under 8 KiB, dropping details first', async () => {
    const cases = [
      { code: 'NOT_FOUND', message: 'fits', details: { text: 'x'.repeat(4000) } },
      { code: 'NOT_FOUND', message: 'details are dropped', details: { text: 'x'.repeat(9000) } },
      { code: 'INVALID_ARGUMENT', message: 'long "é\u0001'.repeat(5000), details: {} },
    ];
    const outcomes = (await runClient('action_errors', [server.port, JSON.stringify(cases)])) as [string, FeatureStoreError][];
    expect(outcomes[0]?.[1]).toEqual(cases[0]);
    expect(outcomes[1]?.[1]).toEqual({ ...cases[1], details: { truncated: true } });
    expect(outcomes[2]?.[0]).toBe('ArrowInvalid');
    expect(outcomes[2]?.[1].message.length).toBeGreaterThan(500);
    expect(outcomes[2]?.[1].message.endsWith(' …')).toBe(true);
  });

  it('wait for the end of an upload', async () => {
    const seen = (await runClient('refused_uploads', [server.port, 30])) as string[];
    expect(seen).toHaveLength(1);
    expect(JSON.parse(seen[0] as string)[1]).toMatchObject({ message: 'refused at once' });
  });

  it('refuse a message above the limit, and the next call works', async () => {
    await server.stop(0);
    await start({ maxMessageBytes: 1_000_000 });
    expect(typeof (await runClient('refused_large', [server.port]))).toBe('string');
    expect(await runClient('token', [server.port])).toEqual(['hi', 'done']);
  });

  it('say that the port is taken', async () => {
    await expect(
      startFlightServer(handler, { host: '127.0.0.1', port: server.port, logger: silentLogger }),
    ).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringMatching(`${server.port}.*EADDRINUSE`),
    });
  });
});

describe('calls that end early', () => {
  it('leave no handler running: 100 streams in 8 threads, cancelled at random', async () => {
    expect(await runClient('cancelled_at_random', [server.port, 8, 104])).toEqual([]);
    await idleWithinASecond();
    expect(handler.aborts.length).toBeGreaterThan(30);
  });

  it('abort at once when the connection drops', async () => {
    const killed = runClient('hang', [server.port], (_, child) => {
      setTimeout(() => child.kill('SIGKILL'), 300);
    });
    expect(await killed).toBe('killed');
    await idleWithinASecond();
    expect(handler.aborts.map((reason) => reason.code)).toEqual(['ABORTED']);
  });
});

describe('back-pressure', () => {
  it('holds the handler back while the client does not read', async () => {
    const counts: number[] = [];
    const result = await runClient('read_slowly', [server.port, 5], (_, child) => {
      setTimeout(() => counts.push(handler.yielded), 1_000);
      setTimeout(() => counts.push(handler.yielded), 2_000);
      setTimeout(() => child.kill('SIGKILL'), 2_100);
    });
    expect(result).toBe('killed');
    expect(counts[0]).toBeGreaterThanOrEqual(5);
    expect(counts[0]).toBeLessThan(12);
    expect(counts[1]).toBe(counts[0]);
    await idleWithinASecond();
  });

  it('holds the client back while the handler does not read', async () => {
    const written = (await runClient('upload_ahead', [server.port])) as number;
    expect(written).toBeLessThan(20);
    await idleWithinASecond();
  });
});

describe('stopping', () => {
  it('lets running calls finish and takes no new ones', async () => {
    const lingered = runClient('linger', [server.port, 1_000]);
    await expect.poll(() => handler.running, { timeout: 5_000 }).toBe(1);
    const stopped = server.stop(10_000);
    expect(await lingered).toEqual(['lingered']);
    await stopped;
    const refused = (await runClient('hang', [server.port])) as [string];
    expect(refused[0]).toBe('FlightUnavailableError');
  });

  it('aborts what outlasts the grace, telling the client', async () => {
    const hung = runClient('hang', [server.port]);
    await expect.poll(() => handler.running, { timeout: 5_000 }).toBe(1);
    const stopped = server.stop(200);
    expect(((await hung) as [string, object])[1]).toEqual({
      code: 'UNAVAILABLE',
      message: 'the server is shutting down; try again',
      details: {},
    });
    await stopped;
    expect(handler.running).toBe(0);
  });
});
