/** A running server as another process sees it: actions in JSON, and training sets answered as they are sent. */
import type { Column } from '../arrow/column.ts';
import { addDictionary, type Dictionaries } from '../arrow/dictionaries.ts';
import { peekMessage } from '../arrow/message.ts';
import {
  decodeDictionaryBatch,
  decodeRecordBatch,
  encodeDictionaryBatch,
  encodeRecordBatch,
  type RecordBatch,
} from '../arrow/record-batch.ts';
import type { Schema } from '../arrow/schema.ts';
import { decodeSchemaMessage, encodeSchemaMessage } from '../arrow/schema-message.ts';
import { FeatureStoreError } from '../errors.ts';
import { connectFlight } from '../flight/client.ts';
import type { FlightMessage, UploadMessage } from '../flight/protocol.ts';
import type { HistoricalRequest } from '../offline/request.ts';
import { plainReader } from './frame.ts';
import { encodeJson, parseJson } from './wire-json.ts';

/** Some rows of a frame or an answer. */
export interface RemoteBatch {
  readonly length: number;
  readonly columns: readonly Column[];
  readonly dictionaries: Dictionaries;
}

export interface RemoteAnswer {
  readonly schema: Schema;
  /** Each with a way to read a column with its dictionary resolved. */
  readonly batches: AsyncIterable<RemoteBatch & { plain(index: number): Column }>;
  /** What the server says of the answer; there when the batches have been read. */
  report(): Readonly<Record<string, unknown>>;
}

export interface RemoteServer {
  /** The answer of an action such as `list`. */
  act(type: string, input: object): Promise<unknown>;
  /** Sends a frame and reads its answer meanwhile. */
  retrieve(
    request: HistoricalRequest,
    schema: Schema,
    frame: AsyncIterable<RemoteBatch>,
    signal: AbortSignal,
  ): Promise<RemoteAnswer>;
  close(): void;
}

/** Connects to `grpc://host:port` at the first question. */
export function connectServer(url: string, token?: string): RemoteServer {
  const client = connectFlight(url, { token });
  return {
    async act(type, input) {
      for await (const result of client.doAction(type, encodeJson(input))) return parseJson(result, `the answer of ${type}`);
      throw new FeatureStoreError('INTERNAL', `the server at ${url} answered nothing to ${type}`);
    },
    async retrieve(request, schema, frame, signal) {
      const { upload, path, ...command } = request;
      const descriptor = { type: 'cmd', cmd: encodeJson(command) } as const;
      return await readAnswer(client.doExchange(descriptor, encodeFrame(schema, frame), signal));
    },
    close: () => client.close(),
  };
}

async function* encodeFrame(schema: Schema, frame: AsyncIterable<RemoteBatch>): AsyncGenerator<FlightMessage, void> {
  yield { header: encodeSchemaMessage(schema), body: [] };
  let sent: Dictionaries = new Map();
  for await (const { length, columns, dictionaries } of frame) {
    for (const [id, values] of dictionaries) {
      if (sent.get(id) !== values) yield encodeDictionaryBatch({ id, isDelta: false, values });
    }
    sent = dictionaries;
    yield encodeRecordBatch({ schema, length, columns } satisfies RecordBatch);
  }
}

async function readAnswer(messages: AsyncGenerator<UploadMessage, void>): Promise<RemoteAnswer> {
  const first = await messages.next();
  if (first.done === true) throw new FeatureStoreError('DATA_LOSS', 'the answer ended before its schema');
  const schema = decodeSchemaMessage(first.value.header);
  let report: Readonly<Record<string, unknown>> | undefined;
  async function* batches() {
    let dictionaries: Dictionaries = new Map();
    for await (const { header, metadata, body } of messages) {
      if (peekMessage(header).kind === 'dictionaryBatch') {
        dictionaries = addDictionary(dictionaries, decodeDictionaryBatch(schema, header, body));
        continue;
      }
      if (metadata !== undefined)
        report = (parseJson(metadata, 'the report') as { report: Readonly<Record<string, unknown>> }).report;
      const { length, columns } = decodeRecordBatch(schema, header, body);
      yield { length, columns, dictionaries, plain: plainReader(columns, dictionaries) };
    }
  }
  return {
    schema,
    batches: batches(),
    report() {
      if (report === undefined) throw new FeatureStoreError('DATA_LOSS', 'the answer ended without its report; ask again');
      return report;
    },
  };
}
