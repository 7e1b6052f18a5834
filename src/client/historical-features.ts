/** Asks for a training set: frame up, request checked, answer ready to be streamed. */
import type { Schema } from '../arrow/schema.ts';
import { FeatureStoreError } from '../errors.ts';
import { announceAnswer } from './announce-answer.ts';
import { checkAnswer, decodeJson, type HistoricalReport, queryMetadataSchema } from './answers.ts';
import type { CallOptions } from './client-call.ts';
import type { Connection } from './connection.ts';
import type { EntityFrame, HistoricalQuery, TrainingSet } from './historical-query.ts';
import { readTrainingSet } from './read-training-set.ts';
import { uploadFrame } from './upload-frame.ts';
import { type ReaderWarning, tellWarnings } from './warnings.ts';

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
  const announced = await announceAnswer(connection, { ...query, type: 'get_historical_features', upload }, options);
  const asked = checkAnswer(queryMetadataSchema, announced.metadata, 'the query').query;
  const warnings = tellWarnings(warningsOf(announced.schema));
  let last: HistoricalReport | undefined;
  return {
    schema: announced.schema,
    rows: announced.rows,
    query: asked,
    warnings,
    async *batches() {
      last = yield* readTrainingSet(connection, announced, options);
    },
    report() {
      if (last !== undefined) return last;
      throw new FeatureStoreError('FAILED_PRECONDITION', 'the report comes with the last row: read the answer to its end first');
    },
  };
}

function warningsOf({ metadata }: Schema): readonly ReaderWarning[] {
  const written = metadata.get('featherflight.warnings');
  if (written === undefined) return [];
  return decodeJson(Buffer.from(written), 'the warnings of the answer') as readonly ReaderWarning[];
}
