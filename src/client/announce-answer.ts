/** Asks GetFlightInfo what a command would answer with, and for the ticket of it. */
import { decodeSchemaMessage, readEncapsulated } from '../arrow/schema-message.ts';
import { FeatureStoreError } from '../errors.ts';
import { decodeFlightInfo, encodeDescriptor } from '../flight/messages.ts';
import { decodeJson, readAnswer } from './answers.ts';
import { type CallOptions, startCall } from './client-call.ts';
import type { Connection } from './connection.ts';
import type { AnnouncedAnswer } from './read-training-set.ts';

/** `metadata` is the JSON that stands beside it. INTERNAL where the answer is in several parts. */
export async function announceAnswer(
  connection: Connection,
  command: object,
  options: CallOptions,
): Promise<AnnouncedAnswer & { readonly metadata: unknown }> {
  const call = startCall(connection, 'GetFlightInfo', options);
  try {
    await call.send(encodeDescriptor({ type: 'cmd', cmd: Buffer.from(JSON.stringify(command)) }));
    call.halfClose();
    const bytes = await call.receive();
    if (bytes === undefined) throw new FeatureStoreError('DATA_LOSS', `${connection.address} answered nothing; run it again`);
    await call.receive();
    return readAnswer("the server's answer", () => {
      const { schema, endpoints, totalRecords, metadata } = decodeFlightInfo(bytes);
      const [endpoint] = endpoints;
      if (endpoint === undefined || endpoints.length > 1) {
        throw new FeatureStoreError('INTERNAL', `the server offers ${endpoints.length} endpoints where this client reads one`);
      }
      return {
        ticket: endpoint.ticket,
        schema: decodeSchemaMessage(readEncapsulated(schema).header),
        rows: totalRecords < 0n ? undefined : Number(totalRecords),
        metadata: decodeJson(metadata ?? new Uint8Array(0), 'the query'),
      };
    });
  } finally {
    call.cancel();
  }
}
