/** Point-in-time answers without a server: a frame from a file, features from what is applied or from what would be. */
import type { Schema } from '../arrow/schema.ts';
import { answerFrame, createReport, type FeatureReport } from '../offline/answer/answer.ts';
import type { History } from '../offline/history.ts';
import { planRetrieval } from '../offline/plan.ts';
import type { HistoricalRequest } from '../offline/request.ts';
import type { RegistryDocument } from '../registry/document.ts';
import { answerSchema } from '../serve/answer-stream.ts';
import type { AnswerWriter } from './answer-file.ts';
import { openEntityFrame } from './entity-frame.ts';

export interface Retrieval {
  readonly history: History;
  readonly registry: RegistryDocument;
  readonly request: HistoricalRequest;
  /** The file with the entity frame, relative to `directory`. */
  readonly entities: string;
  readonly directory: string;
  readonly signal: AbortSignal;
  /** Opens what the answer is written to, when its schema is known. */
  readonly open: (schema: Schema) => Promise<AnswerWriter>;
  /** Told after every batch; `total` is undefined where only reading tells. */
  readonly progress: (rows: number, total: number | undefined) => void;
}

export interface RetrievalReport {
  readonly rows: number;
  readonly total_seconds: number;
  readonly features: readonly FeatureReport[];
}

/** Carries out one retrieval; on any failure nothing of it is left. */
export async function retrieve(retrieval: Retrieval): Promise<RetrievalReport> {
  const { history, registry, request, signal } = retrieval;
  const started = performance.now();
  const frame = await openEntityFrame(history.engine, retrieval.entities, retrieval.directory);
  try {
    const plan = planRetrieval(registry, request, frame.schema, BigInt(Date.now()) * 1000n);
    const prepared = await history.prepare(plan, signal);
    try {
      const schema = answerSchema(frame.schema, plan);
      const features = createReport(plan);
      const writer = await retrieval.open(schema);
      try {
        let rows = 0;
        for await (const { frame: sent, answer } of answerFrame(prepared, schema, frame.batches(signal), features)) {
          signal.throwIfAborted();
          const { columns, length } = answer;
          const plain = (index: number) =>
            index < sent.columns.length ? sent.plain(index) : (columns[index] as (typeof columns)[number]);
          await writer.write({ columns, length, dictionaries: sent.dictionaries, plain });
          rows += length;
          retrieval.progress(rows, frame.rows);
        }
        await writer.finish();
        return { rows, total_seconds: Math.round(performance.now() - started) / 1000, features };
      } catch (error) {
        await writer.abandon();
        throw error;
      }
    } finally {
      prepared.release();
    }
  } finally {
    await frame.close();
  }
}
