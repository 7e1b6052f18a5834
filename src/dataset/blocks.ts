/**
 * A split's rows in blocks of one size, each of which is read alone: an Arrow IPC file, its batches the blocks, and beside it a file of
 * their checksums, a CRC-32 of each batch's message, header and body, in four bytes, little endian.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import type { Column } from '../arrow/column.ts';
import { concatColumns } from '../arrow/concat.ts';
import { type ArrowBatchFile, openArrowBatches } from '../arrow/file-reader.ts';
import { createArrowFile } from '../arrow/file-writer.ts';
import type { RecordBatch } from '../arrow/record-batch.ts';
import type { Schema } from '../arrow/schema.ts';
import { encodeSchemaMessage } from '../arrow/schema-message.ts';
import { sliceColumn } from '../arrow/slice.ts';
import { dataView } from '../arrow/typed-view.ts';
import { FeatureStoreError } from '../errors.ts';

export interface BlockWriter {
  /** Rows that follow, without dictionaries, in batches of any size. */
  write(batch: Pick<RecordBatch, 'length' | 'columns'>): Promise<void>;
  /** Writes what is left, the end without which the file is none, and the checksums as they are read back. */
  finish(): Promise<void>;
  /** Lets go of a file that is not to be finished; harmless after finish. */
  close(): Promise<void>;
}

/** Where the checksums of a file of blocks are. */
export function checksumPath(path: string): string {
  return `${path}.crc32`;
}

/** What a file is called where it is told of. */
export interface ShownFile {
  readonly dataset?: string;
  /** Within the dataset's folder. */
  readonly path: string;
}

/** Opens a file of blocks of a schema; DATA_LOSS names the file and the block whose bytes are not those that were written. */
export async function openBlocks(path: string, schema: Schema, shown: ShownFile = { path }): Promise<ArrowBatchFile> {
  const name = shown.dataset === undefined ? shown.path : `dataset ${shown.dataset}: ${shown.path}`;
  const lost = (what: string, cause?: unknown) =>
    new FeatureStoreError('DATA_LOSS', `${name} ${what}`, { details: { ...shown }, cause });
  const sums = dataView(
    await readFile(checksumPath(path)).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'ENOENT' ? lost('has lost its checksums') : error;
    }),
  );
  /** What was written was whole: but for what the system says, whatever cannot be understood was damaged since. */
  const asLost = (error: unknown) => {
    const { code, syscall, message } = error as NodeJS.ErrnoException;
    return code === 'DATA_LOSS' || syscall !== undefined
      ? error
      : lost(`was changed or damaged: ${message.replaceAll(path, shown.path)}`, error);
  };
  const file = await openArrowBatches(path, {
    check(block, header, body) {
      if (sums.getUint32(4 * block, true) === checksum(header, body)) return;
      throw lost(`was changed or damaged in block ${block}`);
    },
  }).catch((error: unknown) => {
    throw asLost(error);
  });
  const isSame = Buffer.compare(encodeSchemaMessage(file.schema), encodeSchemaMessage(schema)) === 0;
  if (isSame && sums.byteLength === 4 * file.batches) {
    return {
      ...file,
      read: (block) =>
        file.read(block).catch((error: unknown) => {
          throw asLost(error);
        }),
    };
  }
  await file.close();
  throw lost(`was changed or damaged in its ${isSame ? 'footer' : 'schema'}`);
}

function checksum(header: Uint8Array, body: Uint8Array): number {
  return crc32(body, crc32(header));
}

async function writeChecksums(path: string): Promise<void> {
  const sums: number[] = [];
  const file = await openArrowBatches(path, { check: (_, header, body) => sums.push(checksum(header, body)) });
  try {
    for (let block = 0; block < file.batches; block++) await file.read(block);
  } finally {
    await file.close();
  }
  const bytes = new Uint8Array(4 * sums.length);
  for (const [block, sum] of sums.entries()) dataView(bytes).setUint32(4 * block, sum, true);
  await writeFile(checksumPath(path), bytes);
}

/** Creates the file. */
export async function createBlockWriter(path: string, schema: Schema, blockRows: number): Promise<BlockWriter> {
  const file = await createArrowFile(path, schema);
  let parts: (readonly Column[])[] = [];
  let held = 0;

  /** Whole blocks of what is held, and the rest too if it is the last. */
  async function flush(isLast: boolean): Promise<void> {
    if (held === 0) return;
    const columns = schema.fields.map((_, index) => concatColumns(parts.map((part) => part[index] as Column)));
    const end = isLast ? held : held - (held % blockRows);
    for (let start = 0; start < end; start += blockRows) {
      const stop = Math.min(end, start + blockRows);
      await file.write({ schema, length: stop - start, columns: columns.map((column) => sliceColumn(column, start, stop)) });
    }
    parts = end === held ? [] : [columns.map((column) => sliceColumn(column, end, held))];
    held -= end;
  }

  return {
    async write({ length, columns }) {
      if (length === 0) return;
      parts.push(columns);
      held += length;
      if (held >= blockRows) await flush(false);
    },
    async finish() {
      await flush(true);
      await file.finish();
      await writeChecksums(path);
    },
    close: () => file.close(),
  };
}
