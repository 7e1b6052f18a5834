/** The values of an expression as doubles. */
import { getBit } from '../../arrow/bitmap.ts';
import { literalReader } from '../literal-column.ts';
import type { BucketEvents } from './bucket-events.ts';

/** By row: the nearest double to each value, 0 for null. What needs no conversion is not copied. */
export function numbersOf(events: BucketEvents, expression: number): Float64Array | Float32Array | Int32Array {
  const column = events.column(expression);
  const { kind } = events.type(expression);
  const data = column.buffers[0] as Uint8Array;
  if (kind === 'float64') return new Float64Array(data.buffer, data.byteOffset, column.length);
  if (kind === 'float32') return new Float32Array(data.buffer, data.byteOffset, column.length);
  if (kind === 'int32') return new Int32Array(data.buffer, data.byteOffset, column.length);
  return events.keep(`numbers ${expression}`, () => {
    const numbers = new Float64Array(column.length);
    const read = literalReader(column, events.type(expression));
    for (let row = 0; row < numbers.length; row++) {
      if (column.validity === undefined || getBit(column.validity, row)) numbers[row] = Number(read(row));
    }
    return numbers;
  });
}
