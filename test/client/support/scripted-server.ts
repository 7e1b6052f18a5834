/** A Flight server in this process that says what a test makes it say: right answers, and wrong ones that ours never gives. */
import { columnFromValues } from '../../../src/arrow/build.ts';
import { encodeRecordBatch, type RecordBatch } from '../../../src/arrow/record-batch.ts';
import { field, type Schema } from '../../../src/arrow/schema.ts';
import { encapsulateMessage, encodeSchemaMessage } from '../../../src/arrow/schema-message.ts';
import type { FrameBatch } from '../../../src/client/historical-query.ts';
import { FeatureStoreError } from '../../../src/errors.ts';
import type { FlightHandler, FlightInfo, FlightMessage } from '../../../src/flight/protocol.ts';
import { type FlightServer, type FlightServerOptions, startFlightServer } from '../../../src/flight/server.ts';
import { silentLogger } from '../../../src/observe.ts';

export const schema: Schema = { fields: [field('n', { id: 'int', bits: 64, signed: true })], metadata: new Map() };

export function batchOf(values: readonly (bigint | null)[]): RecordBatch {
  return { schema, length: values.length, columns: [columnFromValues(schema.fields[0] as never, values)] };
}

export async function* frameOf(...batches: RecordBatch[]): AsyncGenerator<FrameBatch> {
  for (const batch of batches) yield { batch, dictionaries: new Map() };
}

export function schemaMessage(of: Schema = schema): FlightMessage {
  return { header: encodeSchemaMessage(of), body: [] };
}

export function batchMessage(batch: RecordBatch, metadata?: unknown): FlightMessage {
  const { header, body } = encodeRecordBatch(batch);
  return { header, body, ...(metadata === undefined ? {} : { metadata: Buffer.from(JSON.stringify(metadata)) }) };
}

export function reportOf(rows: number) {
  const report = {
    rows,
    batches: 1,
    bytes: 1,
    first_batch_seconds: 0,
    total_seconds: 0,
    identity: null,
    reproducible: true,
    features: [],
  };
  return { report };
}

export function infoOf(rows: bigint, override: Partial<FlightInfo> = {}): FlightInfo {
  return {
    schema: encapsulateMessage(encodeSchemaMessage(schema)),
    endpoints: [{ ticket: Buffer.from('ticket'), locations: [] }],
    totalRecords: rows,
    totalBytes: -1n,
    ordered: true,
    metadata: Buffer.from('{"query":"q","rows":1}'),
    ...override,
  };
}

export function startScriptedServer(
  script: Partial<FlightHandler>,
  options: Partial<FlightServerOptions> = {},
): Promise<FlightServer> {
  const refuse = (): never => {
    throw new FeatureStoreError('UNIMPLEMENTED', 'not in the script');
  };
  const handler: FlightHandler = {
    listFlights: refuse,
    getFlightInfo: refuse,
    pollFlightInfo: refuse,
    getSchema: refuse,
    doGet: refuse,
    doExchange: refuse,
    doAction: refuse,
    listActions: refuse,
    handshake: refuse,
    async *doPut(upload) {
      let rows = 0;
      for await (const message of upload.messages) if (message.body.length > 0) rows += 1;
      yield Buffer.from(JSON.stringify({ upload: 'u', rows, expires_at: '' }));
    },
    ...script,
  };
  return startFlightServer(handler, { host: '127.0.0.1', port: 0, logger: silentLogger, ...options });
}
