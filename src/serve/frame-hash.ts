/** The hash of a frame's rows, which a training set's identity holds (section 10). */
import { createHash, type Hash } from 'node:crypto';
import type { Column } from '../arrow/column.ts';
import { peekMessage } from '../arrow/message.ts';
import { decodeDictionaryBatch, decodeRecordBatch } from '../arrow/record-batch.ts';
import type { Schema } from '../arrow/schema.ts';
import { decodeSchemaMessage } from '../arrow/schema-message.ts';
import type { IpcMessage } from './frame.ts';

export interface FrameHash {
  /** Takes the next message of the frame, the schema first; refuses what is no Arrow message. */
  update(message: IpcMessage): void;
  /** sha256 in hexadecimal digits. */
  digest(): string;
}

/** Hashes the rows as they are: how they were compressed on their way changes nothing of a training set. */
export function createFrameHash(): FrameHash {
  const hash = createHash('sha256');
  let schema: Schema | undefined;
  return {
    update({ header, body }) {
      const { kind } = peekMessage(header);
      if (schema === undefined || kind === 'schema') {
        schema = decodeSchemaMessage(header);
        hash.update(header);
      } else if (kind === 'recordBatch') {
        hash.update('batch ');
        for (const column of decodeRecordBatch(schema, header, body).columns) hashColumn(hash, column);
      } else {
        const { id, isDelta, values } = decodeDictionaryBatch(schema, header, body);
        hash.update(`dictionary ${id} ${isDelta} `);
        hashColumn(hash, values);
      }
    },
    digest: () => hash.digest('hex'),
  };
}

function hashColumn(hash: Hash, column: Column): void {
  hash.update(`${column.length} ${column.nullCount} ${column.buffers.map((buffer) => buffer.length)} `);
  for (const buffer of [column.validity, ...column.buffers]) if (buffer !== undefined) hash.update(buffer);
  for (const child of column.children) hashColumn(hash, child);
}
