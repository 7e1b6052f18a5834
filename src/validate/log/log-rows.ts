/** Rows of answers on their way from the thread that serves to the one that writes, as Arrow batches. */
import type { Column } from '../../arrow/column.ts';
import { encodeRecordBatch } from '../../arrow/record-batch.ts';
import type { Field } from '../../arrow/schema.ts';
import { statusNames } from '../../definitions/status.ts';
import type { OnlineAnswer } from '../../online/retrieve/answer.ts';
import type { OnlinePlan, RetrievalColumn } from '../../online/retrieve/plan.ts';
import { createColumnBuilder } from './build-column.ts';
import type { ColumnBuilder, PickedRange } from './column-builder.ts';
import { type BigintsBuilder, createBigintsBuilder, createFlagsBuilder } from './fixed-builders.ts';
import { type LogShape, loggedType, shapeFields } from './shape.ts';

/** What is logged of one answer. */
export interface PickedRows {
  readonly answer: OnlineAnswer;
  /** Places of rows; undefined: all. */
  readonly picked: readonly number[] | undefined;
  readonly requestId: string;
  readonly reader: string | null;
  /** By look-up. */
  readonly progressUs: readonly (bigint | null)[];
}

/** A batch as it goes to another thread: its header and its body have their own memory. */
export interface LogBatch {
  readonly rows: number;
  /** Of its rows the least T and the greatest. */
  readonly fromUs: bigint;
  readonly toUs: bigint;
  readonly header: Uint8Array<ArrayBuffer>;
  readonly body: Uint8Array<ArrayBuffer>;
}

export function countRows({ picked, answer }: PickedRows): number {
  return picked?.length ?? answer.rows;
}

/** The texts of the one dictionary of a batch. */
export const batchDictionaries: ReadonlyMap<bigint, readonly string[]> = new Map([[0n, statusNames]]);

/** The fields of a batch on its way: those of the file, but that statuses are places in `statusNames`. */
export function batchFields(shape: LogShape): readonly Field[] {
  const statuses = new Set(shape.outputs.map(({ name }) => `${name}__status`));
  return shapeFields(shape).map((each) => (statuses.has(each.name) ? { ...each, dictionary: places } : each));
}

const places = { id: 0n, indexBits: 8, indexSigned: false, ordered: false } as const;

/** Rows of one shape, of as many answers as come. */
export interface RowsBuilder {
  readonly rows: number;
  /** About. */
  bytes(): number;
  /** Adds the picked rows `from` up to `to`. */
  add(of: PickedRows, from: number, to: number): void;
  /** All rows so far; then it has none. */
  take(): LogBatch;
}

export function createRowsBuilder(shape: LogShape, replica: string): RowsBuilder {
  const fields = batchFields(shape);
  let at = 0;
  const next = (type?: string) => createColumnBuilder(fields[at++] as Field, type);
  const own = { evaluatedAtUs: next(), requestId: next(), reader: next(), replica: next() };
  const columns = shape.columns.map(({ type }) => next(type));
  const progress = shape.lookups.map(() => next());
  const outputs = shape.outputs.map(({ type }) => ({
    values: next(type),
    statuses: next(),
    eventUs: createBigintsBuilder(fields[at++] as Field),
    isDefault: createFlagsBuilder(fields[at++] as Field),
  }));
  const builders = [own, ...columns, ...progress, ...outputs].flatMap((each) =>
    'take' in each ? [each] : Object.values<ColumnBuilder>(each),
  );
  let rows = 0;
  let [fromUs, toUs] = noTimes;

  return {
    get rows() {
      return rows;
    },
    bytes: () => builders.reduce((bytes, builder) => bytes + builder.bytes(), 0),
    add({ answer, picked, requestId, reader, progressUs }, from, to) {
      const { evaluatedAtUs } = answer;
      const count = to - from;
      own.evaluatedAtUs.repeat(evaluatedAtUs, count);
      own.requestId.repeat(requestId, count);
      own.reader.repeat(reader, count);
      own.replica.repeat(replica, count);
      const range = { picked, from, to };
      addRequest(columns, answer, range);
      for (let lookup = 0; lookup < progress.length; lookup++) progress[lookup]?.repeat(progressUs[lookup], count);
      addOutputs(outputs, answer.columns, range);
      rows += count;
      if (evaluatedAtUs < fromUs) fromUs = evaluatedAtUs;
      if (evaluatedAtUs > toUs) toUs = evaluatedAtUs;
    },
    take() {
      const columns = builders.map((builder) => builder.take());
      const batch = { rows, fromUs, toUs, ...encodeBatch(fields, rows, columns) };
      rows = 0;
      [fromUs, toUs] = noTimes;
      return batch;
    },
  };
}

const noTimes: readonly [bigint, bigint] = [2n ** 63n - 1n, 0n];

/** The columns of the request, of which those with one value have it for all rows. */
function addRequest(
  columns: readonly ColumnBuilder[],
  { rows, origin: { plan, given } }: OnlineAnswer,
  range: PickedRange,
): void {
  for (let column = 0; column < columns.length; column++) {
    const planned = plan.columns[column] as OnlinePlan['columns'][number];
    const { request, keys } = given.columns[column] as RetrievalColumn;
    const asKey = keys[Math.max(0, planned.keyTypes.indexOf('int64'))];
    const values = (planned.requestType?.kind === loggedType(planned).kind ? request : asKey) ?? [];
    if (values.length === rows) columns[column]?.add(values, range);
    else columns[column]?.repeat(values[0], range.to - range.from);
  }
}

interface OutputBuilders {
  readonly values: ColumnBuilder;
  readonly statuses: ColumnBuilder;
  readonly eventUs: BigintsBuilder;
  readonly isDefault: ColumnBuilder;
}

/** Features of one look-up mostly share their event times, which then are copied. */
function addOutputs(outputs: readonly OutputBuilders[], answered: OnlineAnswer['columns'], range: PickedRange): void {
  for (let output = 0; output < outputs.length; output++) {
    const { values, statuses, eventUs, isDefault } = outputs[output] as OutputBuilders;
    const column = answered[output] as OnlineAnswer['columns'][number];
    values.add(column.values, range);
    statuses.add(column.statuses, range);
    isDefault.add(column.isDefault, range);
    const isShared = column.eventUs === answered[output - 1]?.eventUs;
    const shared = isShared ? outputs[output - 1]?.eventUs.last(range.to - range.from) : undefined;
    if (shared === undefined) eventUs.add(column.eventUs, range);
    else eventUs.addAll(shared);
  }
}

function encodeBatch(fields: readonly Field[], length: number, columns: readonly Column[]): Pick<LogBatch, 'header' | 'body'> {
  const { header, body, bodyLength } = encodeRecordBatch({ schema: { fields, metadata: new Map() }, length, columns });
  const whole = new Uint8Array(bodyLength);
  let end = 0;
  for (const piece of body) {
    whole.set(piece, end);
    end += piece.length;
  }
  return { header: new Uint8Array(header), body: whole };
}
