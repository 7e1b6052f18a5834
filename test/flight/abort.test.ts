import { connect } from 'node:http2';
import { expect, it } from 'vitest';
import { FeatureStoreError } from '../../src/errors.ts';
import { encodeSingleBytes } from '../../src/flight/messages.ts';
import type { CallContext, FlightHandler, FlightMessage } from '../../src/flight/protocol.ts';
import { startFlightServer } from '../../src/flight/server.ts';
import { silentLogger } from '../../src/observe.ts';

it('context.abort ends a call whose client does not read, and frees what its generator holds', async () => {
  let context: CallContext | undefined;
  let sent = 0;
  let freed: () => void = () => {};
  const free = new Promise<void>((resolve) => {
    freed = resolve;
  });
  const handler = {
    async *doGet(_: Uint8Array, given: CallContext): AsyncGenerator<FlightMessage> {
      context = given;
      try {
        for (;;) {
          sent += 1;
          yield { header: new Uint8Array(8), body: [new Uint8Array(1_000_000)] };
        }
      } finally {
        freed();
      }
    },
  } as unknown as FlightHandler;
  const server = await startFlightServer(handler, { host: '127.0.0.1', port: 0, logger: silentLogger });
  // A client that never reads: HTTP/2 stops the server once its window of 64 KiB is full.
  const client = connect(`http://127.0.0.1:${server.port}`);
  const call = client.request({
    ':method': 'POST',
    ':path': '/arrow.flight.protocol.FlightService/DoGet',
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  call.on('error', () => {});
  const ticket = encodeSingleBytes(new Uint8Array(1));
  call.end(Buffer.concat([Buffer.from([0, 0, 0, 0, ticket.length]), ticket]));
  try {
    let before = -1;
    while (before !== sent || sent === 0) {
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    context?.abort(new FeatureStoreError('RESOURCE_EXHAUSTED', 'the query took longer than it may'));
    await free;
    expect(context?.signal.reason).toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
  } finally {
    client.destroy();
    await server.stop(0);
  }
});
