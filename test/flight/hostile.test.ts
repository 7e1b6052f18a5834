/** Clients that break the rules: the server refuses them, keeps nothing of them, and answers the next. */
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants, type IncomingHttpHeaders } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decodeHandshake, decodePollInfo, encodeDescriptor, encodeHandshake } from '../../src/flight/messages.ts';
import { flightMethods } from '../../src/flight/methods.ts';
import type { FlightDescriptor } from '../../src/flight/protocol.ts';
import { type FlightServer, startFlightServer } from '../../src/flight/server.ts';
import { silentLogger } from '../../src/observe.ts';
import { runClient } from './support/python.ts';
import { createShelfHandler, type ShelfHandler } from './support/shelf-handler.ts';

const service = '/arrow.flight.protocol.FlightService/';
const asIs = (bytes: Buffer): Buffer => bytes;

let handler: ShelfHandler;
let server: FlightServer;
let session: ClientHttp2Session;

beforeEach(async () => {
  handler = createShelfHandler();
  const options = { host: '127.0.0.1', port: 0, logger: silentLogger, maxMessageBytes: 1_000_000, drainTimeoutMs: 300 };
  server = await startFlightServer(handler, options);
  session = connect(`http://127.0.0.1:${server.port}`);
  session.on('error', () => undefined);
});

afterEach(async () => {
  session.destroy();
  await server.stop(0);
});

function open(method: string, headers: Record<string, string> = {}): ClientHttp2Stream {
  const stream = session.request({
    ':method': 'POST',
    ':path': service + method,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
  stream.on('error', () => undefined);
  return stream;
}

/** Resolves with the status, from trailers or from a response of headers alone; `reset` where the stream ended without one. */
function statusOf(stream: ClientHttp2Stream): Promise<string> {
  return new Promise((resolve) => {
    const see = (headers: IncomingHttpHeaders): void => {
      if (headers['grpc-status'] !== undefined) resolve(String(headers['grpc-status']));
    };
    stream
      .on('response', see)
      .on('trailers', see)
      .on('close', () => resolve('reset'))
      .resume();
  });
}

function frame(bytes: Uint8Array, length = bytes.length, flag = 0): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, bytes]);
}

async function expectAlive(): Promise<void> {
  await expect.poll(() => handler.running).toBe(0);
  expect(await runClient('token', [server.port])).toEqual(['hi', 'done']);
}

describe('messages', () => {
  it('that are not protocol buffers are INVALID_ARGUMENT, on every method that reads them', async () => {
    for (const name of flightMethods.keys()) {
      if (name === 'ListActions') continue; // its request is empty: whatever is sent is ignored
      const stream = open(name);
      stream.end(frame(Uint8Array.of(0xff, 0xff, 0xff)));
      expect([name, await statusOf(stream)]).toEqual([name, String(status.INVALID_ARGUMENT)]);
    }
    await expectAlive();
  });

  it('that are missing are INVALID_ARGUMENT', async () => {
    for (const name of flightMethods.keys()) {
      if (name === 'Handshake' || name === 'DoExchange') continue; // zero messages are a legal stream
      const stream = open(name);
      stream.end();
      expect([name, await statusOf(stream)]).toEqual([name, String(status.INVALID_ARGUMENT)]);
    }
    await expectAlive();
  });

  it('that are cut off leave nothing behind', async () => {
    const stream = open('DoPut');
    stream.end(frame(new Uint8Array(10), 1_000));
    await statusOf(stream);
    const dropped = open('DoPut');
    dropped.write(frame(new Uint8Array(10), 1_000));
    await new Promise((resolve) => setTimeout(resolve, 50));
    dropped.close(constants.NGHTTP2_CANCEL);
    await expectAlive();
  });

  it('that announce more than the limit are refused before they arrive', async () => {
    const stream = open('DoPut');
    stream.write(frame(new Uint8Array(10), 0xffffffff));
    expect(await statusOf(stream)).toBe(String(status.RESOURCE_EXHAUSTED));
    const bomb = open('DoPut', { 'grpc-encoding': 'gzip' });
    const { gzipSync } = await import('node:zlib');
    bomb.end(frame(gzipSync(new Uint8Array(50_000_000)), undefined, 1));
    expect(await statusOf(bomb)).toBe(String(status.RESOURCE_EXHAUSTED));
    await expectAlive();
  });

  it('of random bytes, with random ends, do no harm', async () => {
    let seed = 42;
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return (seed >>> 12) % below;
    };
    const names = [...flightMethods.keys()];
    const outcomes = Array.from({ length: 300 }, async () => {
      const stream = open(names[random(names.length)] as string);
      for (let round = random(4); round >= 0; round--) {
        const bytes = Uint8Array.from(
          { length: random(60) },
          () => (random(3) === 0 ? [10, 18, 8, 2, 1][random(5)] : random(256)) as number,
        );
        stream.write(random(8) === 0 ? bytes : frame(bytes));
      }
      const ending = random(4);
      if (ending === 0) stream.close(constants.NGHTTP2_CANCEL);
      else if (ending === 1) setTimeout(() => stream.close(constants.NGHTTP2_INTERNAL_ERROR), random(20));
      else stream.end();
      return statusOf(stream);
    });
    const seen = new Set(await Promise.all(outcomes));
    expect(seen).toContain(String(status.INVALID_ARGUMENT));
    expect(seen).not.toContain(String(status.CANCELLED));
    await expectAlive();
  });
});

describe('calls', () => {
  it('of unknown methods are UNIMPLEMENTED, of other content types refused', async () => {
    const unknown = open('DoNothing');
    unknown.end(frame(new Uint8Array(0)));
    expect(await statusOf(unknown)).toBe(String(status.UNIMPLEMENTED));
    const json = open('DoGet', { 'content-type': 'application/json' });
    const answered = new Promise((resolve) => json.on('response', (headers) => resolve(headers[':status'])));
    json.end('{}');
    expect(await answered).toBe(415);
    await expectAlive();
  });

  it('whose upload never ends get their error when the time to drain is over', async () => {
    const stream = open('DoPut');
    const descriptor = encodeDescriptor({ type: 'cmd', cmd: Buffer.from('refused') });
    stream.write(frame(Buffer.concat([Uint8Array.of(0x0a, descriptor.length), descriptor])));
    const startedMs = performance.now();
    expect(await statusOf(stream)).toBe(String(status.INVALID_ARGUMENT));
    expect(performance.now() - startedMs).toBeGreaterThan(250);
    await expectAlive();
  });

  it('past their deadline end with DEADLINE_EXCEEDED, and so does their signal', async () => {
    const stream = open('DoAction', { 'grpc-timeout': '200m' });
    stream.end(frame(Buffer.concat([Uint8Array.of(0x0a, 4), Buffer.from('hang')])));
    expect(await statusOf(stream)).toBe(String(status.DEADLINE_EXCEEDED));
    await expect.poll(() => handler.aborts.map((reason) => reason.code)).toEqual(['DEADLINE_EXCEEDED']);
    await expectAlive();
  });

  it('cancelled as soon as they are made leave no handler running', async () => {
    for (let call = 0; call < 500; call++) {
      const stream = open(call % 2 === 0 ? 'DoPut' : 'DoAction');
      stream.end(frame(Buffer.concat([Uint8Array.of(0x0a, 4), Buffer.from('hang')])));
      setImmediate(() => stream.close(constants.NGHTTP2_CANCEL));
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
    await expectAlive();
  });

  it('on connections that speak no HTTP/2 do no harm', async () => {
    const socket = connectSocket(server.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    await new Promise((resolve) => socket.on('close', resolve).resume());
    await expectAlive();
  });
});

describe('methods that pyarrow does not reach', () => {
  it('PollFlightInfo and Handshake answer a gRPC client', async () => {
    const client = new Client(`127.0.0.1:${server.port}`, credentials.createInsecure());
    await runClient('token', [server.port]);
    const poll = await new Promise<ServiceError | Buffer>((resolve) => {
      const descriptor: FlightDescriptor = { type: 'cmd', cmd: Buffer.from('nope') };
      client.makeUnaryRequest(`${service}PollFlightInfo`, asIs, asIs, Buffer.from(encodeDescriptor(descriptor)), (error, value) =>
        resolve(error ?? (value as Buffer)),
      );
    });
    expect((poll as ServiceError).code).toBe(status.NOT_FOUND);

    await runClient('every_method', [server.port]);
    const found = await new Promise<Buffer>((resolve, reject) => {
      const descriptor: FlightDescriptor = { type: 'cmd', cmd: Buffer.from('table') };
      client.makeUnaryRequest(
        `${service}PollFlightInfo`,
        asIs,
        asIs,
        Buffer.from(encodeDescriptor(descriptor)),
        (error, value) => (error ? reject(error) : resolve(value as Buffer)),
      );
    });
    expect(decodePollInfo(found)).toMatchObject({ progress: 0.25, expiration: 1_500_000n, info: { totalRecords: -1n } });

    const { Metadata } = await import('@grpc/grpc-js');
    const metadata = new Metadata();
    metadata.set('authorization', 'Bearer t0ken');
    const handshake = client.makeBidiStreamRequest(`${service}Handshake`, asIs, asIs, metadata);
    handshake.write(Buffer.from(encodeHandshake(Buffer.from('one'))));
    handshake.end(Buffer.from(encodeHandshake(Buffer.from('two'))));
    const answers: string[] = [];
    for await (const answer of handshake) answers.push(Buffer.from(decodeHandshake(answer as Buffer)).toString());
    expect(answers).toEqual(['t0ken:one', 't0ken:two']);
    client.close();
  });
});
