/** Rows of a split in the order of an epoch, in batches that begin at fixed positions: what one rank, or one of its workers, reads. */
import type { Column } from '../arrow/column.ts';
import { concatColumns } from '../arrow/concat.ts';
import { interleaveColumns } from '../arrow/interleave.ts';
import type { RecordBatch } from '../arrow/record-batch.ts';
import { sliceColumn } from '../arrow/slice.ts';
import type { LaidBlock, Layout } from './layout.ts';
import { matrixColumn } from './layout.ts';
import type { EpochOrder, Window } from './order.ts';

export interface PositionRange {
  /** The first position. */
  readonly start: number;
  /** The position after the last. */
  readonly end: number;
  /** From the start of one batch to the start of the next, at least `batchRows`. */
  readonly step: number;
  readonly batchRows: number;
}

export interface PositionedBatch {
  /** The position of its first row in the epoch. */
  readonly position: number;
  readonly batch: RecordBatch;
}

/** Batches at start, start + step, …, each of `batchRows` rows or what is left before `end`. Holds a window, and loads the next. */
export async function* readRows(
  order: EpochOrder,
  layout: Layout,
  load: (block: number) => Promise<LaidBlock>,
  range: PositionRange,
  signal: AbortSignal,
): AsyncGenerator<PositionedBatch, void> {
  const { start, end, step, batchRows } = range;
  let open: OpenWindow | undefined;
  let coming: OpenWindow | undefined;
  for (let at = start; at < end; at += step) {
    const stop = Math.min(at + batchRows, end);
    const pieces: Piece[] = [];
    for (let from = at; from < stop; ) {
      if (open === undefined || !isWithin(open.window, from)) {
        open = coming !== undefined && isWithin(coming.window, from) ? coming : openWindow(order, from, load);
        const next = nextPosition(range, open.window);
        coming = next === undefined ? undefined : openWindow(order, next, load);
      }
      const { window } = open;
      const blocks = await open.blocks;
      signal.throwIfAborted();
      const to = Math.min(stop, window.start + window.rows);
      pieces.push({ window, blocks, from: from - window.start, to: to - window.start });
      from = to;
    }
    yield { position: at, batch: assemble(layout, pieces, stop - at) };
  }
}

interface OpenWindow {
  readonly window: Window;
  readonly blocks: Promise<readonly LaidBlock[]>;
}

interface Piece {
  readonly window: Window;
  readonly blocks: readonly LaidBlock[];
  /** Positions in the window. */
  readonly from: number;
  readonly to: number;
}

function isWithin({ start, rows }: Window, position: number): boolean {
  return position >= start && position < start + rows;
}

/** The first position after a window that a batch of the range has. */
function nextPosition({ start, end, step, batchRows }: PositionRange, window: Window): number | undefined {
  const after = window.start + window.rows;
  const batch = start + Math.floor((after - start) / step) * step;
  const next = after < batch + batchRows ? after : batch + step;
  return next < end ? next : undefined;
}

const blocksAtOnce = 8;

function openWindow(order: EpochOrder, position: number, load: (block: number) => Promise<LaidBlock>): OpenWindow {
  const window = order.windowAt(position);
  const blocks = loadAll(window.blocks, load);
  // Told to whoever comes to read it; nobody may.
  blocks.catch(() => {});
  return { window, blocks };
}

async function loadAll(numbers: readonly number[], load: (block: number) => Promise<LaidBlock>): Promise<LaidBlock[]> {
  const blocks: LaidBlock[] = [];
  for (let at = 0; at < numbers.length; at += blocksAtOnce) {
    blocks.push(...(await Promise.all(numbers.slice(at, at + blocksAtOnce).map(load))));
  }
  return blocks;
}

function assemble(layout: Layout, pieces: readonly Piece[], rows: number): RecordBatch {
  const { fields } = layout.schema;
  const plain = fields.length - layout.dense.reduce((sum, { mask }) => sum + (mask ? 2 : 1), 0);
  const columns: Column[] = [];
  for (let index = 0; index < plain; index++) columns.push(concatColumns(pieces.map((piece) => pickColumn(piece, index))));
  for (const [at, { type, width, mask }] of layout.dense.entries()) {
    const name = () => fields[columns.length]?.name ?? '';
    const values = pickMatrix(pieces, rows, width, (block) => block.matrices[at]?.values as ArrayBufferView);
    columns.push(matrixColumn(name(), type, width, values, rows));
    if (!mask) continue;
    const there = pickMatrix(pieces, rows, width, (block) => block.matrices[at]?.mask as Uint8Array);
    columns.push(matrixColumn(name(), 'uint8', width, there, rows));
  }
  return { schema: layout.schema, length: rows, columns };
}

function pickColumn({ window, blocks, from, to }: Piece, index: number): Column {
  const sources = blocks.map((block) => block.columns[index] as Column);
  if (isInOrder(window)) return sliceColumn(sources[0] as Column, from, to);
  return interleaveColumns(sources, window.which.subarray(from, to), window.row.subarray(from, to));
}

/** A window of rows that nothing mixes is one block. */
function isInOrder({ blocks, isMixed }: Window): boolean {
  return blocks.length === 1 && !isMixed;
}

type Numbers = Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array;

function pickMatrix(pieces: readonly Piece[], rows: number, width: number, of: (block: LaidBlock) => ArrayBufferView): Numbers {
  const [first] = pieces as [Piece];
  const sample = of(first.blocks[0] as LaidBlock) as Numbers;
  if (pieces.length === 1 && isInOrder(first.window)) return sample.subarray(first.from * width, first.to * width);
  const target = createUnset(sample, rows * width);
  let at = 0;
  for (const { window, blocks, from, to } of pieces) {
    const sources = blocks.map((block) => words(of(block) as Numbers));
    copyRows(words(target), at, sources, window, from, to, (width * sample.BYTES_PER_ELEMENT) / words(target).BYTES_PER_ELEMENT);
    at += to - from;
  }
  return target;
}

/** Numbers of a sample's type, of which each is to be written: memory that nobody sets to zero first. */
function createUnset(sample: Numbers, length: number): Numbers {
  const { buffer } = Buffer.allocUnsafeSlow(length * sample.BYTES_PER_ELEMENT);
  return new (sample.constructor as new (buffer: ArrayBufferLike, offset: number, length: number) => Numbers)(buffer, 0, length);
}

/** Rows are copied as they are, in words of 32 bits where they consist of such. */
function words(values: Numbers): Int32Array | Uint8Array {
  if (values.BYTES_PER_ELEMENT === 1) return values as Uint8Array;
  return new Int32Array(values.buffer, values.byteOffset, values.byteLength / 4);
}

/** Rows of which a word of each line of the cache is read before the first is copied, so that memory is waited for once for all. */
const rowsAhead = 16;
const lineBytes = 64;

function copyRows(
  target: Int32Array | Uint8Array,
  firstRow: number,
  sources: readonly (Int32Array | Uint8Array)[],
  { which, row }: Window,
  from: number,
  to: number,
  width: number,
): void {
  const line = lineBytes / target.BYTES_PER_ELEMENT;
  let at = firstRow * width;
  for (let group = from; group < to; group += rowsAhead) {
    const stop = Math.min(to, group + rowsAhead);
    let read = 0;
    for (let position = group; position < stop; position++) {
      const source = sources[which[position] as number] as Int32Array;
      const first = (row[position] as number) * width;
      for (let word = 0; word < width; word += line) read ^= source[first + word] as number;
      read ^= source[first + width - 1] as number;
    }
    // Written where the copy overwrites it: what is read for nothing may be left out by the compiler.
    target[at] = read;
    for (let position = group; position < stop; position++) {
      const source = sources[which[position] as number] as Int32Array;
      const first = (row[position] as number) * width;
      for (let word = 0; word < width; word++) target[at++] = source[first + word] as number;
    }
  }
}
