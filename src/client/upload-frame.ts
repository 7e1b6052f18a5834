/** Sends an entity frame up with DoPut. */
import type { Compression } from '../arrow/compression.ts';
import type { Dictionaries } from '../arrow/dictionaries.ts';
import { changedDictionaries } from '../arrow/dictionary-changes.ts';
import { type EncodedMessage, encodeDictionaryBatch, encodeRecordBatch, type RecordBatch } from '../arrow/record-batch.ts';
import { encodeSchemaMessage } from '../arrow/schema-message.ts';
import { sliceColumn } from '../arrow/slice.ts';
import { FeatureStoreError } from '../errors.ts';
import { encodeFlightData } from '../flight/flight-data.ts';
import { decodeSingleBytes } from '../flight/messages.ts';
import type { FlightDescriptor, FlightMessage } from '../flight/protocol.ts';
import { checkAnswer, decodeJson, readAnswer, uploadResultSchema } from './answers.ts';
import { type CallOptions, type ClientCall, startCall } from './client-call.ts';
import type { Connection } from './connection.ts';
import type { EntityFrame } from './historical-query.ts';

/** Larger batches are sent in slices, so that neither side holds much. */
const maxRows = 65_536;
/** What one message can have, its header aside. */
const maxBodyBytes = 0x7fffffff - 1024 * 1024;

export interface UploadOptions extends CallOptions {
  readonly compression?: Compression;
  /** What the frame is for: the server reads the sources meanwhile. */
  readonly features?: readonly string[] | null;
  readonly service?: string | null;
}

/** Uploads the frame; resolves with the upload's id. DATA_LOSS where the server took another number of rows than were sent. */
export async function uploadFrame(connection: Connection, frame: EntityFrame, options: UploadOptions): Promise<string> {
  const call = startCall(connection, 'DoPut', options);
  try {
    const sent = await sendFrame(call, frame, options);
    call.halfClose();
    const result = await receiveOnly(call);
    if (result === undefined)
      throw new FeatureStoreError('DATA_LOSS', `${connection.address} did not confirm the upload; run it again`);
    const { upload, rows } = checkAnswer(uploadResultSchema, decodeJson(result, 'the answer to the upload'), 'the upload');
    if (rows !== sent) {
      throw new FeatureStoreError('DATA_LOSS', `${connection.address} took ${rows} of ${sent} entity rows; run it again`, {
        details: { sent, rows },
      });
    }
    return upload;
  } finally {
    call.cancel();
  }
}

/** Sends schema, dictionaries and batches; resolves with the rows. */
async function sendFrame(call: ClientCall, frame: EntityFrame, options: UploadOptions): Promise<number> {
  const { compression, features, service } = options;
  const command = { type: 'upload', features, service };
  const descriptor: FlightDescriptor = { type: 'cmd', cmd: Buffer.from(JSON.stringify(command)) };
  await call.send(concatMessage({ header: encodeSchemaMessage(frame.schema), body: [] }, descriptor));
  let rows = 0;
  let known: Dictionaries = new Map();
  for await (const { batch, dictionaries } of frame.batches) {
    for (const change of changedDictionaries(frame.schema, known, dictionaries)) {
      await call.send(encodeMessage(encodeDictionaryBatch(change, { compression })));
    }
    known = dictionaries;
    for (const piece of slices(batch)) await call.send(encodeMessage(encodeRecordBatch(piece, { compression })));
    rows += batch.length;
  }
  return rows;
}

async function receiveOnly(call: ClientCall): Promise<Uint8Array | undefined> {
  let last: Uint8Array | undefined;
  for (let message = await call.receive(); message !== undefined; message = await call.receive()) {
    const bytes = message;
    last = readAnswer('the answer to the upload', () => decodeSingleBytes(bytes));
  }
  return last;
}

function* slices(batch: RecordBatch): Generator<RecordBatch> {
  if (batch.length <= maxRows) {
    yield batch;
    return;
  }
  for (let start = 0; start < batch.length; start += maxRows) {
    const end = Math.min(start + maxRows, batch.length);
    yield { ...batch, length: end - start, columns: batch.columns.map((column) => sliceColumn(column, start, end)) };
  }
}

function encodeMessage({ header, body, bodyLength }: EncodedMessage): Uint8Array {
  if (bodyLength > maxBodyBytes) {
    throw new FeatureStoreError(
      'INVALID_ARGUMENT',
      `a batch of the entity frame has ${bodyLength} bytes, more than one message can; make the frame's batches smaller`,
    );
  }
  return concatMessage({ header, body });
}

function concatMessage(message: FlightMessage, descriptor?: FlightDescriptor): Uint8Array {
  return Buffer.concat(encodeFlightData(message, descriptor));
}
