/** A training set as Flight messages: schema, dictionaries, batches, and the report beside the last of them. */
import { columnFromValues } from '../arrow/build.ts';
import type { Compression } from '../arrow/compression.ts';
import { encodeRecordBatch, type RecordBatch } from '../arrow/record-batch.ts';
import type { Field, Schema } from '../arrow/schema.ts';
import { encodeSchemaMessage } from '../arrow/schema-message.ts';
import { FeatureStoreError } from '../errors.ts';
import type { FlightMessage } from '../flight/protocol.ts';
import type { DeprecationWarning } from '../lifecycle/deprecation-warnings.ts';
import { answerFields, answerFrame, createReport, type FeatureReport, type PreparedPlan } from '../offline/answer/answer.ts';
import { type EventReport, reportEvents } from '../offline/events/report-events.ts';
import type { RetrievalPlan } from '../offline/plan.ts';
import type { SentBatch } from './frame.ts';

export interface AnswerFacts {
  /** What the reader should know beside the answer. */
  readonly warnings: readonly DeprecationWarning[];
  readonly identity: string | undefined;
  readonly rows: bigint | undefined;
  readonly compression: Compression | undefined;
  /** When the query's turn began, by `performance.now()`: seconds in the report include reading the sources. */
  readonly startedMs: number;
  /**
   * Each batch goes out as soon as it is there, since the client may send no more before it has come; the report then stands beside an
   * empty batch after the last. Otherwise it stands beside the last, which is held back until it is known to be that.
   */
  readonly atOnce: boolean;
  /** The report says the identity that only the whole frame tells. */
  finalIdentity(): Promise<string>;
}

/** The answer's schema: the frame's own fields, then the features'. */
export function answerSchema(
  frame: Schema,
  plan: RetrievalPlan,
  facts: Partial<Pick<AnswerFacts, 'identity' | 'rows' | 'warnings'>> = {},
): Schema {
  const added = answerFields(plan);
  const metadata = new Map(frame.metadata);
  const pandas = extendPandas(frame.metadata.get('pandas'), added);
  if (pandas === undefined) metadata.delete('pandas');
  else metadata.set('pandas', pandas);
  for (const fact of ['featherflight.identity', 'featherflight.rows', 'featherflight.warnings']) metadata.delete(fact); // of an answer that is now a frame
  const { identity, rows, warnings = [] } = facts;
  if (warnings.length > 0) metadata.set('featherflight.warnings', JSON.stringify(warnings));
  if (identity !== undefined) metadata.set('featherflight.identity', identity);
  if (rows !== undefined) metadata.set('featherflight.rows', String(rows));
  return { fields: [...frame.fields, ...added], metadata };
}

/** Streams the answer; the consumer's pace is the stream's pace. A frame without rows has one empty batch, and so has its answer. */
export async function* streamAnswer(
  prepared: PreparedPlan,
  frame: Schema,
  batches: AsyncIterable<SentBatch>,
  facts: AnswerFacts,
): AsyncGenerator<FlightMessage, void> {
  const schema = answerSchema(frame, prepared.plan, facts);
  const features = createReport(prepared.plan);
  const totals = { rows: 0, batches: 0, bytes: 0, firstBatchSeconds: 0 };
  yield { header: encodeSchemaMessage(schema), body: [] };
  let held: Held | undefined;
  const encode = (batch: RecordBatch) => {
    const encoded = encodeRecordBatch(batch, { compression: facts.compression });
    if (totals.batches === 0) totals.firstBatchSeconds = (performance.now() - facts.startedMs) / 1000;
    totals.batches += 1;
    totals.rows += batch.length;
    totals.bytes += encoded.bodyLength + encoded.header.length;
    return encoded;
  };
  for await (const { frame: sent, answer } of answerFrame(prepared, schema, batches, features)) {
    if (held !== undefined) yield* sendOff(held);
    for (const message of sent.before) yield { header: message.header, body: [message.body] };
    held = { message: encode(answer), release: sent.release };
    if (!facts.atOnce) continue;
    yield* sendOff(held);
    held = undefined;
  }
  if (totals.batches === 0) throw new FeatureStoreError('INTERNAL', 'a frame must have a batch, were it empty');
  const last = held?.message ?? encodeRecordBatch(emptyBatch(schema));
  const seconds = (performance.now() - facts.startedMs) / 1000;
  const { warnings } = facts;
  const report = describeReport(features, reportEvents(prepared), totals, seconds, await facts.finalIdentity(), warnings);
  yield { ...last, metadata: Buffer.from(JSON.stringify({ report })) };
}

interface Held extends Pick<SentBatch, 'release'> {
  readonly message: FlightMessage;
}

/** Whoever asks for the next message has sent this one. */
function* sendOff({ message, release }: Held): Generator<FlightMessage, void> {
  yield message;
  release?.();
}

function emptyBatch(schema: Schema): RecordBatch {
  return { schema, length: 0, columns: schema.fields.map((field) => columnFromValues(field, [])) };
}

function describeReport(
  features: readonly FeatureReport[],
  events: readonly EventReport[],
  totals: { rows: number; batches: number; bytes: number; firstBatchSeconds: number },
  seconds: number,
  identity: string,
  warnings: readonly DeprecationWarning[],
) {
  return {
    rows: totals.rows,
    batches: totals.batches,
    bytes: totals.bytes,
    first_batch_seconds: round(totals.firstBatchSeconds),
    total_seconds: round(seconds),
    identity,
    reproducible: true,
    features,
    events,
    warnings,
  };
}

function round(seconds: number): number {
  return Math.round(seconds * 1e6) / 1e6;
}

/**
 * What pandas wrote of its own columns stays true of them; the added columns are described too, so that integers and booleans with
 * nulls become pandas' nullable types rather than floats and objects. undefined where there was none, or none that can be read.
 */
function extendPandas(text: string | Uint8Array | undefined, added: readonly Field[]): string | undefined {
  if (typeof text !== 'string') return undefined;
  try {
    const known = JSON.parse(text) as { columns: unknown[] };
    if (!Array.isArray(known.columns)) return undefined;
    const described = added.flatMap(({ name, type }) => {
      if (type.id === 'bool') return [{ name, field_name: name, pandas_type: 'bool', numpy_type: 'boolean', metadata: null }];
      if (type.id !== 'int') return [];
      return [{ name, field_name: name, pandas_type: `int${type.bits}`, numpy_type: `Int${type.bits}`, metadata: null }];
    });
    return JSON.stringify({ ...known, columns: [...known.columns, ...described] });
  } catch {
    return undefined;
  }
}
