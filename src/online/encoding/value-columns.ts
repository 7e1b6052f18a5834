/** Values straight out of Arrow columns, in the bytes that value-codec.ts writes: no value becomes an object on the way. */
import { getBit } from '../../arrow/bitmap.ts';
import type { Column } from '../../arrow/column.ts';
import { bytesOf, int32View } from '../../arrow/typed-view.ts';
import type { ValueType } from '../../definitions/value-type.ts';
import { joinWords, type Sink, writeByte, writeRange, writeVarint, writeZigzag } from './bytes.ts';
import { markNull, writeBitmap } from './value-codec.ts';

/** Writes what a column has in a row. */
export type ColumnWriter = (sink: Sink, row: number) => void;

/** Whether a row of the column is null; undefined where none is. */
export function compileNulls({ nullCount, validity }: Column): ((row: number) => boolean) | undefined {
  return nullCount === 0 || validity === undefined ? undefined : (row) => !getBit(validity, row);
}

/** A writer of the rows that are not null. The column has the layout that Arrow gives the type: utf8, list, fixed-size list, decimal128, … */
export function compileColumnWriter(type: ValueType, column: Column): ColumnWriter {
  const [first, second] = column.buffers as [Uint8Array, Uint8Array];
  switch (type.kind) {
    case 'bool':
      return (sink, row) => writeByte(sink, getBit(first, row) ? 1 : 0);
    case 'int32':
    case 'date': {
      const words = int32View(first);
      return (sink, row) => writeZigzag(sink, words[row] as number);
    }
    case 'int64':
    case 'timestamp': {
      const words = int32View(first);
      return (sink, row) => writeZigzag(sink, joinWords(words[2 * row] as number, words[2 * row + 1] as number));
    }
    case 'float32':
      return floatWriter(new Float32Array(first.buffer, first.byteOffset, column.length), nan32);
    case 'float64':
      return floatWriter(new Float64Array(first.buffer, first.byteOffset, column.length), nan64);
    case 'string':
    case 'bytes': {
      const offsets = int32View(first);
      return (sink, row) => {
        const start = offsets[row] as number;
        const end = offsets[row + 1] as number;
        writeVarint(sink, end - start);
        writeRange(sink, second, start, end);
      };
    }
    case 'decimal': {
      const words = int32View(first);
      return (sink, row) => writeDecimal(sink, words, 4 * row);
    }
    case 'list': {
      const offsets = int32View(first);
      const write = compileElements(type.element, column.children[0] as Column);
      return (sink, row) => {
        const start = offsets[row] as number;
        const end = offsets[row + 1] as number;
        writeVarint(sink, end - start);
        write(sink, start, end);
      };
    }
    case 'vector': {
      const { length } = type;
      const write = compileElements({ kind: type.element }, column.children[0] as Column);
      return (sink, row) => write(sink, row * length, (row + 1) * length);
    }
  }
}

const nan32 = Uint8Array.of(0, 0, 0xc0, 0x7f);
const nan64 = Uint8Array.of(0, 0, 0, 0, 0, 0, 0xf8, 0x7f);

/** Floats as they stand, the least significant byte first; of the many bytes that a NaN may have, always the same. */
function floatWriter(floats: Float32Array | Float64Array, nan: Uint8Array): ColumnWriter {
  const width = floats.BYTES_PER_ELEMENT;
  const bytes = bytesOf(floats);
  return (sink, row) => {
    if (Number.isNaN(floats[row])) writeRange(sink, nan, 0, width);
    else writeRange(sink, bytes, width * row, width * (row + 1));
  };
}

/** A bitmap of nulls, then each element that is not. */
function compileElements(type: ValueType, column: Column): (sink: Sink, start: number, end: number) => void {
  const write = compileColumnWriter(type, column);
  const isNull = compileNulls(column);
  return (sink, start, end) => {
    const bitmap = writeBitmap(sink, end - start);
    for (let row = start; row < end; row++) {
      if (isNull?.(row) === true) markNull(sink, bitmap, row - start);
      else write(sink, row);
    }
  };
}

/** Four words, the least first. */
function writeDecimal(sink: Sink, words: Int32Array, at: number): void {
  const [low, high, third, fourth] = words.subarray(at, at + 4) as unknown as [number, number, number, number];
  const isNarrow = third === high >> 31 && fourth === high >> 31;
  const lower = BigInt(joinWords(low, high));
  const upper = BigInt(joinWords(third, fourth));
  writeZigzag(sink, isNarrow ? joinWords(low, high) : (upper << 64n) | BigInt.asUintN(64, lower));
}
