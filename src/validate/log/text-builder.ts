/** The builder of columns of text. */
import type { Field } from '../../arrow/schema.ts';
import { bytesOf } from '../../arrow/typed-view.ts';
import { type ColumnBuilder, createNulls, grown, startRows } from './column-builder.ts';

/** Up to which a loop over characters is quicker than a call. */
const shortText = 64;

export function createTextBuilder(field: Field): ColumnBuilder {
  const nulls = createNulls();
  let ends = new Int32Array(startRows);
  let data = Buffer.alloc(startRows);
  let length = 0;
  let end = 0;

  function write(value: unknown): void {
    if (value === null || value === undefined) nulls.add(length, 1);
    else writeText(value as string);
    length += 1;
    ends[length] = end;
  }

  function writeText(text: string): void {
    reserve(3 * text.length);
    if (text.length <= shortText) {
      let at = 0;
      for (; at < text.length; at++) {
        const code = text.charCodeAt(at);
        if (code > 0x7f) break;
        data[end + at] = code;
      }
      if (at === text.length) {
        end += at;
        return;
      }
    }
    end += data.write(text, end);
  }

  function reserve(bytes: number): void {
    if (end + bytes > data.length) data = grown(data, end + bytes, (size) => Buffer.alloc(size));
  }

  const grow = (rows: number) => {
    if (length + rows >= ends.length) ends = grown(ends, length + rows + 1, (size) => new Int32Array(size));
  };
  return {
    add(values, { picked, from, to }) {
      grow(to - from);
      for (let row = from; row < to; row++) write(values[picked === undefined ? row : (picked[row] as number)]);
    },
    repeat(value, rows) {
      grow(rows);
      const start = end;
      write(value);
      const size = end - start;
      reserve(size * (rows - 1));
      if (size === 0) nulls.add(length, value === null || value === undefined ? rows - 1 : 0);
      for (let row = 1; row < rows; row++) {
        data.copyWithin(end, start, start + size);
        end += size;
        length += 1;
        ends[length] = end;
      }
    },
    bytes: () => 4 * length + end,
    take() {
      const buffers = [bytesOf(ends.subarray(0, length + 1)), data.subarray(0, end)];
      const column = { field, length, ...nulls.take(length), buffers, children: [] };
      length = 0;
      end = 0;
      return column;
    },
  };
}
