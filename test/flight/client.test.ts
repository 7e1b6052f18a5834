import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectFlight, type FlightClient } from '../../src/flight/client.ts';
import type { FlightMessage } from '../../src/flight/protocol.ts';
import { type FlightServer, type FlightServerOptions, startFlightServer } from '../../src/flight/server.ts';
import { silentLogger } from '../../src/observe.ts';
import { createShelfHandler, type ShelfHandler } from './support/shelf-handler.ts';

let handler: ShelfHandler;
let server: FlightServer;
let client: FlightClient;

const start = async (options: Partial<FlightServerOptions> = {}) => {
  handler = createShelfHandler();
  server = await startFlightServer(handler, { host: '127.0.0.1', port: 0, logger: silentLogger, ...options });
};
beforeEach(async () => {
  await start();
  client = connectFlight(`grpc://127.0.0.1:${server.port}`, { token: 's3cret' });
});
afterEach(async () => {
  client.close();
  await server.stop(0);
});

const bytes = (text: string) => Buffer.from(text);
const collect = async <T>(values: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
};
async function* repeat(message: FlightMessage, times: number): AsyncGenerator<FlightMessage> {
  for (let round = 0; round < times; round++) yield message;
}
const descriptor = { type: 'cmd', cmd: bytes('x') } as const;

describe('doAction', () => {
  it('yields the results, and sends the token', async () => {
    const results = await collect(client.doAction('echo', bytes('hi')));
    expect(results.map((result) => Buffer.from(result).toString())).toEqual(['hi', 'done']);
    expect(handler.contexts.at(-1)?.token).toBe('s3cret');
  });

  it('throws what the server threw', async () => {
    const thrown = { code: 'RESOURCE_EXHAUSTED', message: 'too much – é', details: { retry_after_seconds: 3 } };
    await expect(collect(client.doAction('fail', bytes(JSON.stringify(thrown))))).rejects.toMatchObject(thrown);
  });

  it('is cancelled by its signal, on both sides', async () => {
    const controller = new AbortController();
    const waiting = collect(client.doAction('hang', bytes(''), controller.signal));
    await expect.poll(() => handler.running).toBe(1);
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    await expect.poll(() => handler.running).toBe(0);
  });

  it('says where no server answers', async () => {
    const nobody = connectFlight('grpc://127.0.0.1:1');
    await expect(collect(nobody.doAction('echo', bytes('')))).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('grpc://127.0.0.1:1'),
    });
    nobody.close();
  });
});

describe('doExchange', () => {
  it('sends and receives at once, more than either side buffers', async () => {
    const body = new Uint8Array(1_000_000).fill(7);
    let received = 0;
    for await (const message of client.doExchange(descriptor, repeat({ header: bytes('h'), body: [body, body] }, 50))) {
      expect(message.body.length).toBe(2_000_000);
      received += 1;
    }
    expect(received).toBe(50);
  });

  it('throws what the server threw while it was sending', async () => {
    const failing = { header: bytes('h'), metadata: bytes('fail'), body: [] };
    await expect(collect(client.doExchange(descriptor, repeat(failing, 3)))).rejects.toMatchObject({
      code: 'OUT_OF_RANGE',
      message: 'asked to fail',
    });
    await expect.poll(() => handler.running).toBe(0);
  });

  it('throws what making a message threw, and leaves nothing running', async () => {
    async function* broken(): AsyncGenerator<FlightMessage> {
      yield { header: bytes('h'), body: [] };
      throw new Error('the frame is broken');
    }
    await expect(collect(client.doExchange(descriptor, broken()))).rejects.toThrow('the frame is broken');
    await expect.poll(() => handler.running).toBe(0);
  });

  it('ends on both sides when the reader leaves', async () => {
    for await (const message of client.doExchange(descriptor, repeat({ header: bytes('h'), body: [bytes('x')] }, 100_000))) {
      expect(message.header.length).toBe(1);
      break;
    }
    await expect.poll(() => handler.running).toBe(0);
  });
});

describe('connectFlight', () => {
  it('speaks TLS', async () => {
    const read = (name: string) => readFileSync(new URL(`support/localhost.${name}.pem`, import.meta.url));
    await server.stop(0);
    await start({ tls: { certificate: read('cert'), key: read('key') } });
    const secure = connectFlight(`grpc+tls://localhost:${server.port}`, { rootCertificates: read('cert') });
    expect(await collect(secure.doAction('echo', bytes('hi')))).toHaveLength(2);
    secure.close();
  });

  it.each(['127.0.0.1:8815', 'http://127.0.0.1:8815', 'grpc://', 'grpc://host'])('refuses the address %s', (url) => {
    expect(() => connectFlight(url)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining('grpc://host:port') }),
    );
  });
});
