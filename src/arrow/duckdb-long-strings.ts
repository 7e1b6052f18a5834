/** Strings beyond 12 bytes, which stand behind pointers: fetched in few large pieces, for each fetch costs about a microsecond. */
import duckdb from '@duckdb/node-bindings';
import { getBit } from './bitmap.ts';
import { copyBytes } from './gather.ts';
import { int32View } from './typed-view.ts';

export interface LongStrings {
  /**
   * Copies the string of row `start + first`, which is longer than 12 bytes and ends at `ends[first]` of the target, together with
   * those after it that follow it in memory, of `count` in all; answers the last one copied.
   */
  copyRun(start: number, first: number, count: number, ends: Int32Array, at: number, target: Uint8Array): number;
}

/**
 * Strings of one vector mostly stand one behind the other in a few blocks, so neighbours are fetched as one piece. A gap between
 * two of them of less than a page lies wholly on the pages of its two ends, which are mapped: reading over it is safe, and what
 * stands in it is never looked at.
 */
export function loadLongStrings(bytes: Uint8Array, size: number, nulls: Uint8Array | undefined): LongStrings {
  const words = int32View(bytes);
  let count = 0;
  for (let row = 0; row < size; row++)
    if ((words[4 * row] as number) > 12 && (nulls === undefined || getBit(nulls, row))) count++;
  if (count === 0) return { copyRun: (_, first) => first };
  const rows = new Int32Array(count);
  for (let row = 0, i = 0; row < size; row++) {
    if ((words[4 * row] as number) > 12 && (nulls === undefined || getBit(nulls, row))) rows[i++] = row;
  }
  return fetchPieces(bytes, words, size, inOrderOfAddress(words, size, rows));
}

const maxGap = 1024;

function fetchPieces(bytes: Uint8Array, words: Int32Array, size: number, rows: Int32Array): LongStrings {
  const pieces: Uint8Array[] = [];
  const pieceOf = new Int32Array(size);
  const startOf = new Int32Array(size);
  for (let i = 0; i < rows.length; ) {
    const first = rows[i] as number;
    const start = addressOf(words, first);
    let end = start + (words[4 * first] as number);
    for (; i < rows.length; i++) {
      const row = rows[i] as number;
      const address = addressOf(words, row);
      if (address < start || address > end + maxGap) break;
      pieceOf[row] = pieces.length;
      startOf[row] = address - start;
      end = Math.max(end, address + (words[4 * row] as number));
    }
    pieces.push(duckdb.get_data_from_pointer(bytes.buffer as ArrayBuffer, bytes.byteOffset + 16 * first + 8, end - start));
  }
  return {
    copyRun(start, first, count, ends, at, target) {
      const piece = pieceOf[start + first] as number;
      const from = startOf[start + first] as number;
      let last = first;
      for (; last + 1 < count; last++) {
        const row = start + last + 1;
        const longer = (ends[last + 1] as number) - (ends[last] as number) > 12;
        if (!longer || pieceOf[row] !== piece || startOf[row] !== from + (ends[last] as number) - at) break;
      }
      copyBytes(target, at, pieces[piece] as Uint8Array, from, from + (ends[last] as number) - at);
      return last;
    },
  };
}

/** Rows as they are where their strings mostly follow one another, else sorted by address. */
function inOrderOfAddress(words: Int32Array, size: number, rows: Int32Array): Int32Array {
  let jumps = 0;
  let end = addressOf(words, rows[0] as number);
  let least = end;
  let greatest = end;
  for (const row of rows) {
    const address = addressOf(words, row);
    if (address < end || address > end + maxGap) jumps++;
    end = address + (words[4 * row] as number);
    least = Math.min(least, address);
    greatest = Math.max(greatest, address);
  }
  // Address and row in one exact double sort without a comparing function; blocks too far apart for that stay unsorted.
  if (jumps * 8 < rows.length || (greatest - least + 1) * size > Number.MAX_SAFE_INTEGER) return rows;
  const keys = Float64Array.from(rows, (row) => (addressOf(words, row) - least) * size + row).sort();
  return Int32Array.from(keys, (key) => key % size);
}

function addressOf(words: Int32Array, row: number): number {
  return ((words[4 * row + 2] as number) >>> 0) + (words[4 * row + 3] as number) * 2 ** 32;
}
