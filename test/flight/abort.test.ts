import { Client, credentials } from '@grpc/grpc-js';
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
  const client = new Client(`127.0.0.1:${server.port}`, credentials.createInsecure());
  const path = '/arrow.flight.protocol.FlightService/DoGet';
  const asIs = (bytes: Buffer): Buffer => bytes;
  const call = client.makeServerStreamRequest(path, asIs, asIs, Buffer.from(encodeSingleBytes(new Uint8Array(1))));
  call.on('error', () => {});
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
    call.cancel();
    client.close();
    await server.stop(0);
  }
});
