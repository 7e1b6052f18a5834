/** A training set's rows into a draft: the frame's columns and the features', each row in its part, and the frame as it was sent. */
import { join } from 'node:path';
import type { Column } from '../arrow/column.ts';
import { createArrowFile } from '../arrow/file-writer.ts';
import type { Field, Schema } from '../arrow/schema.ts';
import {
  answerFields,
  answerFrame,
  createReport,
  type FeatureReport,
  type FrameBatch,
  type PreparedPlan,
} from '../offline/answer/answer.ts';
import type { RetrievalPlan } from '../offline/plan.ts';
import type { DatasetFile, DatasetSplit } from './manifest.ts';
import type { AssignParts } from './split.ts';
import { createRowWriter, describeFile } from './write-rows.ts';

export interface FrameRows extends FrameBatch {
  /** Is called when the columns are read no more. */
  readonly release?: (() => void) | undefined;
}

export interface ComputeOptions {
  /** The draft's folder. */
  readonly draft: string;
  readonly prepared: PreparedPlan;
  readonly frame: { readonly schema: Schema; batches(maxRows: number, signal: AbortSignal): AsyncIterable<FrameRows> };
  readonly parts: readonly string[];
  readonly assign: AssignParts;
  readonly signal: AbortSignal;
  /** Is told the rows that are written after each batch. */
  readonly onRows: (rows: number) => void;
}

export interface ComputedRows {
  readonly rows: number;
  readonly splits: readonly DatasetSplit[];
  readonly report: readonly FeatureReport[];
  readonly frame: DatasetFile;
}

const batchRows = 65_536;
export const framePath = 'frame.arrows';

/** The fields of a dataset but for the row's number: dictionaries are resolved. */
export function datasetFields(frame: Schema, plan: RetrievalPlan): readonly Field[] {
  return [...frame.fields.map(plainField), ...answerFields(plan)];
}

export async function computeRows(options: ComputeOptions): Promise<ComputedRows> {
  const { draft, prepared, frame, parts, assign, signal, onRows } = options;
  const fields = datasetFields(frame.schema, prepared.plan);
  const report = createReport(prepared.plan);
  const writer = await createRowWriter(draft, fields, parts);
  const schema: Schema = { fields: frame.schema.fields.map(plainField), metadata: frame.schema.metadata };
  const saved = await createArrowFile(join(draft, framePath), schema, { format: 'stream', compression: 'lz4' });
  let rows = 0;
  try {
    const answers = answerFrame(prepared, { fields, metadata: new Map() }, frame.batches(batchRows, signal), report);
    for await (const { frame: sent, answer } of answers) {
      signal.throwIfAborted();
      const own = sent.columns.map((_, index) => sent.plain(index));
      await saved.write({ schema, length: sent.length, columns: own.map(asField(schema)) });
      await writer.write([...own, ...answer.columns.slice(own.length)], assign(sent, rows));
      sent.release?.();
      rows += sent.length;
      onRows(rows);
    }
    await saved.finish();
    const splits = await writer.finish();
    return { rows, splits, report, frame: await describeFile(draft, framePath) };
  } finally {
    writer.close();
    await saved.close();
  }
}

function asField({ fields }: Schema): (column: Column, index: number) => Column {
  return (column, index) => ({ ...column, field: fields[index] as Field });
}

function plainField(field: Field): Field {
  const { dictionary, ...plain } = field;
  return plain;
}
