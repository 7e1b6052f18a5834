/**
 * The order of a split's rows in one epoch: a pure function of dataset, split, seed, epoch and two sizes. Blocks are permuted, then
 * the rows of several blocks in a row; docs/reference/shuffle.md says how well that mixes.
 */
import { FeatureStoreError } from '../errors.ts';
import { createRandom, shuffle } from './random.ts';

export interface OrderOptions {
  /** The dataset's identity. */
  readonly id: string;
  readonly split: string;
  readonly rows: number;
  /** Rows that lie together and are read together; only the last block may have fewer. */
  readonly blockRows: number;
  /** undefined: rows in the order in which they lie. */
  readonly shuffle?: { readonly seed: number; readonly epoch: number; readonly windowBlocks: number };
}

/** Blocks whose rows are mixed with each other, at consecutive positions. */
export interface Window {
  /** The position of its first row. */
  readonly start: number;
  readonly rows: number;
  /** Numbers of the blocks as they lie in the split. */
  readonly blocks: readonly number[];
  /** Its rows are not in the order in which they lie. */
  readonly isMixed: boolean;
  /** By position in the window: an index into `blocks`. */
  readonly which: Uint8Array;
  /** By position in the window: the row in its block. */
  readonly row: Int32Array;
}

export interface EpochOrder {
  readonly rows: number;
  /** The window that holds a position; the one that was asked last is kept. */
  windowAt(position: number): Window;
}

/** What `which` can name. */
export const maxWindowBlocks = 256;

/** Makes the order; INVALID_ARGUMENT for sizes out of range. Costs a number per block, and a few per row of the window asked for. */
export function createOrder({ id, split, rows, blockRows, shuffle: asked }: OrderOptions): EpochOrder {
  const windowBlocks = asked?.windowBlocks ?? 1;
  if (!Number.isInteger(windowBlocks) || windowBlocks < 1 || windowBlocks > maxWindowBlocks) {
    throw new FeatureStoreError('INVALID_ARGUMENT', `window_blocks is 1 to ${maxWindowBlocks}, not ${windowBlocks}`);
  }
  const count = Math.ceil(rows / blockRows);
  const rowsOf = (block: number) => Math.min(blockRows, rows - block * blockRows);
  const blocks = countTo(count);
  const keyed = (...what: readonly (string | number)[]) => createRandom(['order', id, split, asked?.seed, asked?.epoch, ...what]);
  if (asked !== undefined) shuffle(blocks, keyed('blocks'));
  // Every block before a position is whole, but for the split's last, wherever it came to stand.
  const lacking = count * blockRows - rows;
  const short = blocks.indexOf(count - 1);
  const startOf = (at: number) => at * blockRows - (at > short ? lacking : 0);

  let last: Window | undefined;

  function build(from: number): Window {
    const chosen = Array.from(blocks.subarray(from, from + windowBlocks));
    const start = startOf(from);
    const size = chosen.reduce((sum, block) => sum + rowsOf(block), 0);
    const order = countTo(size);
    if (asked !== undefined) shuffle(order, keyed('window', from / windowBlocks));
    const which = new Uint8Array(size);
    const row = new Int32Array(size);
    // After the short block each row stands earlier than a division says.
    const shortEnd = short < from ? size : startOf(short + 1) - start;
    for (let at = 0; at < size; at++) {
      const wanted = order[at] as number;
      const place = wanted < shortEnd ? wanted : wanted + lacking;
      const slot = (place / blockRows) | 0;
      which[at] = slot;
      row[at] = place - slot * blockRows;
    }
    return { start, rows: size, blocks: chosen, isMixed: asked !== undefined, which, row };
  }

  return {
    rows,
    windowAt(position) {
      if (!(position >= 0 && position < rows)) {
        throw new FeatureStoreError('INTERNAL', `position ${position} is none of ${rows} rows`);
      }
      if (last !== undefined && position >= last.start && position < last.start + last.rows) return last;
      let at = Math.min(count - 1, Math.floor(position / blockRows));
      if (position >= startOf(at + 1)) at++;
      last = build(at - (at % windowBlocks));
      return last;
    },
  };
}

function countTo(length: number): Uint32Array {
  const numbers = new Uint32Array(length);
  for (let at = 0; at < length; at++) numbers[at] = at;
  return numbers;
}
