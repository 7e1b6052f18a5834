/** Asks for a training set: frame up, request checked, answer ready to be streamed. */
import { decodeSchemaMessage, readEncapsulated } from '../arrow/schema-message.ts';
import { FeatureStoreError } from '../errors.ts';
import { decodeFlightInfo, encodeDescriptor } from '../flight/messages.ts';
import { checkAnswer, decodeJson, type HistoricalReport, queryMetadataSchema, readAnswer } from './answers.ts';
import { type CallOptions, startCall } from './client-call.ts';
import type { Connection } from './connection.ts';
import type { EntityFrame, HistoricalQuery, TrainingSet } from './historical-query.ts';
import { type AnnouncedAnswer, readTrainingSet } from './read-training-set.ts';
import { uploadFrame } from './upload-frame.ts';

/** Uploads the frame, if any, and has the server check the whole request. */
export async function requestTrainingSet(
  connection: Connection,
  query: HistoricalQuery,
  frame: EntityFrame | undefined,
  options: Pick<CallOptions, 'signal'>,
): Promise<TrainingSet> {
  const { features, service, compression } = query;
  const sending = { ...options, features, service, compression: compression ?? undefined };
  const upload = frame && (await uploadFrame(connection, frame, sending));
  const announced = await announce(connection, { ...query, type: 'get_historical_features', upload }, options);
  let last: HistoricalReport | undefined;
  return {
    schema: announced.schema,
    rows: announced.rows,
    query: announced.query,
    async *batches() {
      last = yield* readTrainingSet(connection, announced, options);
    },
    report() {
      if (last !== undefined) return last;
      throw new FeatureStoreError('FAILED_PRECONDITION', 'the report comes with the last row: read the answer to its end first');
    },
  };
}

async function announce(
  connection: Connection,
  command: object,
  options: CallOptions,
): Promise<AnnouncedAnswer & { readonly query: string }> {
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
        query: checkAnswer(queryMetadataSchema, decodeJson(metadata ?? new Uint8Array(0), 'the query'), 'the query').query,
      };
    });
  } finally {
    call.cancel();
  }
}
