/** Reads a training set with DoGet: an answer is whole when the rows announced have come and the report has come. */
import { addDictionary, type Dictionaries } from '../arrow/dictionaries.ts';
import { peekMessage } from '../arrow/message.ts';
import { decodeDictionaryBatch, decodeRecordBatch } from '../arrow/record-batch.ts';
import type { Schema } from '../arrow/schema.ts';
import { decodeSchemaMessage, encodeSchemaMessage } from '../arrow/schema-message.ts';
import { FeatureStoreError } from '../errors.ts';
import { decodeFlightData } from '../flight/flight-data.ts';
import { encodeSingleBytes } from '../flight/messages.ts';
import { checkAnswer, decodeJson, finalMetadataSchema, type HistoricalReport, readAnswer } from './answers.ts';
import { type CallOptions, type ClientCall, startCall } from './client-call.ts';
import type { Connection } from './connection.ts';
import type { FrameBatch } from './historical-query.ts';

/** What the server announced. */
export interface AnnouncedAnswer {
  readonly ticket: Uint8Array;
  readonly schema: Schema;
  readonly rows: number | undefined;
}

/** Streams one answer and returns its report. The call is cancelled where the generator is left early. */
export async function* readTrainingSet(
  connection: Connection,
  announced: AnnouncedAnswer,
  options: CallOptions,
): AsyncGenerator<FrameBatch, HistoricalReport> {
  const { rows, report } = yield* readBatches(connection, announced, options);
  return checkWhole(rows, announced.rows, report);
}

/** Streams rows of a saved dataset, of which as many as were announced are all. */
export async function* readDatasetRows(
  connection: Connection,
  announced: AnnouncedAnswer,
  options: CallOptions,
): AsyncGenerator<FrameBatch, void> {
  const { rows } = yield* readBatches(connection, announced, options);
  if (rows !== announced.rows)
    throw new FeatureStoreError('DATA_LOSS', `the answer is not whole: ${rows} of ${announced.rows} rows came; run it again`, {
      details: { rows, announced: announced.rows ?? null },
    });
}

async function* readBatches(
  connection: Connection,
  announced: AnnouncedAnswer,
  options: CallOptions,
): AsyncGenerator<FrameBatch, { readonly rows: number; readonly report: HistoricalReport | undefined }> {
  const call = startCall(connection, 'DoGet', options);
  try {
    await call.send(encodeSingleBytes(announced.ticket));
    call.halfClose();
    const schema = await receiveSchema(call, announced.schema);
    let dictionaries: Dictionaries = new Map();
    let rows = 0;
    let report: HistoricalReport | undefined;
    for (let bytes = await call.receive(); bytes !== undefined; bytes = await call.receive()) {
      const message = decodeMessage(bytes, schema);
      if (message.metadata !== undefined) {
        const metadata = decodeJson(message.metadata, 'what came beside a batch of the answer');
        report = checkAnswer(finalMetadataSchema, metadata, 'the report').report ?? report;
      }
      if (message.kind === 'dictionary')
        dictionaries = readAnswer(theAnswer, () => addDictionary(dictionaries, message.dictionary));
      if (message.kind !== 'batch') continue;
      rows += message.batch.length;
      yield { batch: message.batch, dictionaries };
    }
    return { rows, report };
  } finally {
    call.cancel();
  }
}

const theAnswer = "the server's answer";

async function receiveSchema(call: ClientCall, announced: Schema): Promise<Schema> {
  const bytes = await call.receive();
  if (bytes === undefined) throw new FeatureStoreError('DATA_LOSS', 'the answer ended without its schema; run it again');
  const schema = readAnswer(theAnswer, () => decodeSchemaMessage(decodeFlightData(bytes).header));
  if (!haveSameFields(schema, announced)) {
    throw new FeatureStoreError(
      'FAILED_PRECONDITION',
      'the definitions changed since the training set was asked for, and its columns would be others; ask again',
    );
  }
  return schema;
}

function haveSameFields(a: Schema, b: Schema): boolean {
  const fieldsOnly = ({ fields }: Schema) => encodeSchemaMessage({ fields, metadata: new Map() });
  return Buffer.compare(fieldsOnly(a), fieldsOnly(b)) === 0;
}

function decodeMessage(bytes: Uint8Array, schema: Schema) {
  return readAnswer(theAnswer, () => {
    const { header, metadata, body } = decodeFlightData(bytes);
    if (header.length === 0) return { kind: 'metadata', metadata } as const;
    switch (peekMessage(header).kind) {
      case 'dictionaryBatch':
        return { kind: 'dictionary', metadata, dictionary: decodeDictionaryBatch(schema, header, body) } as const;
      case 'recordBatch':
        return { kind: 'batch', metadata, batch: decodeRecordBatch(schema, header, body) } as const;
      default:
        throw new FeatureStoreError('DATA_LOSS', `${theAnswer} has a second schema`);
    }
  });
}

function checkWhole(rows: number, announced: number | undefined, report: HistoricalReport | undefined): HistoricalReport {
  const expected = announced ?? report?.rows;
  if (report !== undefined && rows === expected && rows === report.rows) return report;
  const missing = report === undefined ? ', and the final report is missing' : '';
  const came = expected === undefined ? `${rows} rows` : `${rows} of ${expected} rows`;
  throw new FeatureStoreError('DATA_LOSS', `the answer is not whole: ${came} came${missing}; run it again`, {
    details: { rows, announced: announced ?? null, report: report !== undefined },
  });
}
