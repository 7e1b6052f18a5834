import type { ServerHttp2Session } from 'node:http2';
import { Client, credentials, Server, ServerCredentials, ServerInterceptingCall } from '@grpc/grpc-js';
import { expect, it } from 'vitest';
import { findHttp2Stream } from '../../src/flight/http2-stream.ts';

it('finds the stream beneath a call of the installed grpc-js: without it every message is copied three times', async () => {
  const found: unknown[] = [];
  const asIs = (bytes: Buffer): Buffer => bytes;
  const server = new Server({
    interceptors: [
      (_, call) => {
        const session = findHttp2Stream(call)?.session as ServerHttp2Session | undefined;
        found.push(session?.setLocalWindowSize instanceof Function);
        return new ServerInterceptingCall(call);
      },
    ],
  });
  server.register(
    '/a/b',
    (_call: unknown, answer: (error: null, value: Buffer) => void) => answer(null, Buffer.of(1)),
    asIs,
    asIs,
    'unary',
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  await new Promise((resolve) => client.makeUnaryRequest('/a/b', asIs, asIs, Buffer.of(1), resolve));
  client.close();
  server.forceShutdown();
  expect(found).toEqual([true]);
});
