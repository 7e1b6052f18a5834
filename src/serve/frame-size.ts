/** How large a frame is that comes in: more rows than its bytes can hold, or more bytes than fit into memory, are refused. */
import type { Column } from '../arrow/column.ts';
import { FeatureStoreError } from '../errors.ts';
import type { IpcMessage } from './ipc-message.ts';

/** Bytes that one compressed message, or all dictionaries of a frame together, may unfold to. */
export const maxUnfoldedBytes = 256 * 2 ** 20;

/** What a column without bytes may have. */
const freeRows = 65_536;
/** Of booleans, the narrowest there is. */
const rowsPerByte = 8;

export interface FrameSize {
  /** Takes a batch. INVALID_ARGUMENT where the frame has more rows by now than its bytes can hold: columns of nulls have none. */
  addBatch(message: IpcMessage, rows: number, columns: readonly Column[]): void;
  /** Takes a dictionary, or what continues one; RESOURCE_EXHAUSTED where all of them unfold to more than may be. */
  addDictionary(message: IpcMessage, id: bigint, isDelta: boolean, values: Column): void;
  /** Bytes that whoever reads the frame has in memory at once, at most. */
  readonly heldBytes: number;
}

export function createFrameSize(): FrameSize {
  let allowedRows = freeRows;
  let rows = 0;
  let largestBatch = 0;
  const dictionaries = new Map<bigint, { held: number; unfolded: number }>();
  let held = 0;

  function addRows(message: IpcMessage, count: number, unfolded: number): void {
    rows += count;
    allowedRows += rowsPerByte * (message.header.length + message.body.length + unfolded);
    if (rows <= allowedRows) return;
    throw new FeatureStoreError(
      'INVALID_ARGUMENT',
      `the frame has ${rows} rows in a message that is far too short for them; send the columns that its keys and times are in`,
      { details: { rows } },
    );
  }

  return {
    addBatch(message, count, columns) {
      const unfolded = unfoldedBytes(columns, message.body);
      addRows(message, count, unfolded);
      largestBatch = Math.max(largestBatch, message.body.length + unfolded);
    },
    addDictionary(message, id, isDelta, values) {
      const unfolded = unfoldedBytes([values], message.body);
      addRows(message, values.length, unfolded);
      const before = (isDelta ? dictionaries.get(id) : undefined) ?? { held: 0, unfolded: 0 };
      dictionaries.set(id, {
        held: before.held + message.body.length + unfolded,
        unfolded: before.unfolded + unfolded,
      });
      const all = [...dictionaries.values()];
      if (all.reduce((sum, each) => sum + each.unfolded, 0) > maxUnfoldedBytes) {
        throw new FeatureStoreError(
          'RESOURCE_EXHAUSTED',
          `the compressed dictionaries of the frame unfold to more than ${maxUnfoldedBytes} bytes; send them plain, or their columns`,
        );
      }
      held = Math.max(
        held,
        all.reduce((sum, each) => sum + each.held, 0),
      );
    },
    get heldBytes() {
      return held + largestBatch;
    },
  };
}

/** Bytes of columns that are not where the message's own are: they were compressed. */
function unfoldedBytes(columns: readonly Column[], body: Uint8Array): number {
  let bytes = 0;
  for (const { validity, buffers, children } of columns) {
    for (const buffer of validity === undefined ? buffers : [validity, ...buffers])
      if (buffer.buffer !== body.buffer) bytes += buffer.byteLength;
    bytes += unfoldedBytes(children, body);
  }
  return bytes;
}
