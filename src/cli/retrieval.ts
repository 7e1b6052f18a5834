/** Point-in-time answers for the command line: computed here or asked of a server, and written batch by batch. */
import type { Column } from '../arrow/column.ts';
import type { Schema } from '../arrow/schema.ts';
import type { FlightClient } from '../client/flight-client.ts';
import type { FrameBatch } from '../client/historical-query.ts';
import { type DeprecationWarning, deprecationWarnings } from '../lifecycle/deprecation-warnings.ts';
import { answerFrame, createReport, type FeatureReport } from '../offline/answer/answer.ts';
import type { History } from '../offline/history.ts';
import { planRetrieval } from '../offline/plan.ts';
import type { HistoricalRequest } from '../offline/request.ts';
import type { RegistryDocument } from '../registry/document.ts';
import { answerSchema } from '../serve/answer-stream.ts';
import { plainReader } from '../serve/frame.ts';
import type { AnswerBatch, AnswerWriter } from './answer-file.ts';
import type { EntityFrame } from './entity-frame.ts';
import { warningsOf } from './tell-warnings.ts';

export interface Answer {
  readonly schema: Schema;
  /** To be read once, to the end. */
  readonly batches: AsyncIterable<AnswerBatch>;
  /** What became of each feature; there when the batches have been read. */
  features(): readonly FeatureReport[];
}

export interface RetrievalReport {
  readonly rows: number;
  readonly total_seconds: number;
  readonly features: readonly FeatureReport[];
  readonly warnings: readonly DeprecationWarning[];
}

/** Computes an answer by definitions over the files that they name, and hands it to `use`. */
export async function answerHere<T>(
  history: History,
  registry: RegistryDocument,
  request: HistoricalRequest,
  frame: EntityFrame,
  signal: AbortSignal,
  use: (answer: Answer) => Promise<T>,
): Promise<T> {
  const plan = planRetrieval(registry, request, frame.schema, BigInt(Date.now()) * 1000n);
  const prepared = await history.prepare(plan, signal);
  try {
    const schema = answerSchema(frame.schema, plan, { warnings: deprecationWarnings(registry, request) });
    const features = createReport(plan);
    async function* batches(): AsyncGenerator<AnswerBatch, void> {
      for await (const { frame: sent, answer } of answerFrame(prepared, schema, frame.batches(signal), features)) {
        signal.throwIfAborted();
        const { columns, length } = answer;
        const plain = (index: number) => (index < sent.columns.length ? sent.plain(index) : (columns[index] as Column));
        yield { columns, length, dictionaries: sent.dictionaries, plain };
      }
    }
    return await use({ schema, batches: batches(), features: () => features });
  } finally {
    prepared.release();
  }
}

/** Sends a server the frame and asks for its answer. */
export async function answerThere(
  server: FlightClient,
  request: HistoricalRequest,
  frame: EntityFrame,
  signal: AbortSignal,
): Promise<Answer> {
  const { type, upload, path, ...query } = request;
  const set = await server.getHistoricalFeatures(query, { schema: frame.schema, batches: toSend(frame, signal) }, { signal });
  async function* batches(): AsyncGenerator<AnswerBatch, void> {
    for await (const { batch, dictionaries } of set.batches()) {
      const { length, columns } = batch;
      yield { length, columns, dictionaries, plain: plainReader(columns, dictionaries) };
    }
  }
  return { schema: set.schema, batches: batches(), features: () => set.report().features };
}

async function* toSend({ schema, batches }: EntityFrame, signal: AbortSignal): AsyncGenerator<FrameBatch, void> {
  for await (const { length, columns, dictionaries } of batches(signal))
    yield { batch: { schema, length, columns }, dictionaries };
}

/** Writes an answer; on any failure nothing of it is left. `progress` is told the rows after every batch. */
export async function writeAnswer(
  answer: Answer,
  open: (schema: Schema) => Promise<AnswerWriter>,
  progress: (rows: number) => void = () => {},
): Promise<RetrievalReport> {
  const started = performance.now();
  const writer = await open(answer.schema);
  try {
    let rows = 0;
    for await (const batch of answer.batches) {
      await writer.write(batch);
      rows += batch.length;
      progress(rows);
    }
    const features = answer.features();
    await writer.finish();
    const seconds = Math.round(performance.now() - started) / 1000;
    return { rows, total_seconds: seconds, features, warnings: warningsOf(answer.schema) };
  } catch (error) {
    await writer.abandon();
    throw error;
  }
}
