/** The hash of a frame's rows, which a training set's identity holds (section 10), and how large they are. */
import { createHash, type Hash } from 'node:crypto';
import type { Column } from '../arrow/column.ts';
import { peekMessage } from '../arrow/message.ts';
import { decodeDictionaryBatch, decodeRecordBatch } from '../arrow/record-batch.ts';
import type { Schema } from '../arrow/schema.ts';
import { decodeSchemaMessage } from '../arrow/schema-message.ts';
import { createFrameSize, maxUnfoldedBytes } from './frame-size.ts';
import type { IpcMessage } from './ipc-message.ts';

export interface FrameHash {
  /** Takes the next message of the frame, the schema first; refuses what is no Arrow message, and a frame that is too large. */
  update(message: IpcMessage): void;
  /** See FrameSize. */
  readonly heldBytes: number;
  /** sha256 in hexadecimal digits. */
  digest(): string;
}

/** Hashes the rows as they are: how they were compressed on their way changes nothing of a training set. */
export function createFrameHash(): FrameHash {
  const hash = createHash('sha256');
  const size = createFrameSize();
  let schema: Schema | undefined;
  return {
    update(message) {
      const { header, body } = message;
      const { kind } = peekMessage(header);
      if (schema === undefined || kind === 'schema') {
        schema = decodeSchemaMessage(header);
        hash.update(header);
      } else if (kind === 'recordBatch') {
        const { length, columns } = decodeRecordBatch(schema, header, body, { maxDecodedBytes: maxUnfoldedBytes });
        size.addBatch(message, length, columns);
        hash.update('batch ');
        for (const column of columns) hashColumn(hash, column);
      } else {
        const { id, isDelta, values } = decodeDictionaryBatch(schema, header, body, { maxDecodedBytes: maxUnfoldedBytes });
        size.addDictionary(message, id, isDelta, values);
        hash.update(`dictionary ${id} ${isDelta} `);
        hashColumn(hash, values);
      }
    },
    get heldBytes() {
      return size.heldBytes;
    },
    digest: () => hash.digest('hex'),
  };
}

function hashColumn(hash: Hash, column: Column): void {
  hash.update(`${column.length} ${column.nullCount} ${column.buffers.map((buffer) => buffer.length)} `);
  for (const buffer of [column.validity, ...column.buffers]) if (buffer !== undefined) hash.update(buffer);
  for (const child of column.children) hashColumn(hash, child);
}
