/** One bucket of a projection on disk: an Arrow IPC stream, read whole and checked. */
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { columnFromValues } from '../../arrow/build.ts';
import type { Column } from '../../arrow/column.ts';
import { decodeRecordBatch, encodeRecordBatch } from '../../arrow/record-batch.ts';
import type { Schema } from '../../arrow/schema.ts';
import { encapsulateMessage, encodeSchemaMessage, readEncapsulated } from '../../arrow/schema-message.ts';
import { FeatureStoreError } from '../../errors.ts';
import type { Manifest } from './manifest.ts';

export interface BucketWriter {
  write(columns: readonly Column[]): Promise<void>;
  /** Ends the file and tells what the manifest says of it. */
  finish(): Promise<Manifest['buckets'][number]>;
  close(): Promise<void>;
}

/** Creates the files of all buckets in a folder, or none that stays open: RESOURCE_EXHAUSTED where too many files are open already. */
export async function openBuckets(directory: string, count: number, schema: Schema): Promise<BucketWriter[]> {
  const opened: BucketWriter[] = [];
  try {
    for (let index = 0; index < count; index++) opened.push(await openBucket(join(directory, `${index}.arrows`), schema));
    return opened;
  } catch (error) {
    await Promise.all(opened.map((bucket) => bucket.close()));
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EMFILE' && code !== 'ENFILE') throw error;
    const message = `too many files are open to write the ${count} parts of a sorted copy; raise the limit of open files (ulimit -n)`;
    throw new FeatureStoreError('RESOURCE_EXHAUSTED', message, { cause: error });
  }
}

/** Creates the file of a bucket, with its schema. */
async function openBucket(path: string, schema: Schema): Promise<BucketWriter> {
  const file = await open(path, 'w');
  let rows = 0;
  let bytes = 0;
  let checksum = 0;
  const append = async (parts: readonly Uint8Array[]) => {
    for (const part of parts) checksum = crc32(part, checksum);
    bytes += await writeAll(file, parts);
  };
  try {
    await append([encapsulateMessage(encodeSchemaMessage(schema))]);
  } catch (error) {
    await file.close();
    throw error;
  }
  return {
    async write(columns) {
      const length = columns[0]?.length ?? 0;
      const { header, body } = encodeRecordBatch({ schema, length, columns });
      await append([encapsulateMessage(header), ...body]);
      rows += length;
    },
    async finish() {
      return { rows, bytes, crc32: checksum };
    },
    close: () => file.close(),
  };
}

/** Reads the parts of a bucket, which `use` must copy what it keeps of; DATA_LOSS if the file is not what its manifest says. */
export type BucketReader = <T>(
  path: string,
  schema: Schema,
  expected: Manifest['buckets'][number],
  use: (parts: readonly (readonly Column[])[]) => T,
) => Promise<T>;

/**
 * Makes a reader that reads one bucket after another into the same memory: given up each time, that would stand beside what is read
 * next until the garbage collector comes, several times over.
 */
export function createBucketReader(): BucketReader {
  let memory = new Uint8Array(0);
  let last: Promise<unknown> = Promise.resolve();
  return (path, schema, expected, use) => {
    const read = async () => {
      if (memory.length < expected.bytes) memory = new Uint8Array(expected.bytes);
      return use(await readParts(path, schema, expected, memory.subarray(0, expected.bytes)));
    };
    const done = last.then(read, read);
    last = done;
    return done;
  };
}

/** The columns of a bucket as they were written, behind a part without rows. */
async function readParts(
  path: string,
  schema: Schema,
  expected: Manifest['buckets'][number],
  content: Uint8Array,
): Promise<(readonly Column[])[]> {
  const file = await open(path, 'r');
  try {
    await readAll(file, content, path);
  } finally {
    await file.close();
  }
  if (crc32(content) !== expected.crc32) throw damaged(path);
  const parts: (readonly Column[])[] = [schema.fields.map((field) => columnFromValues(field, []))];
  let at = 0;
  for (let message = 0; at < content.length; message++) {
    const { header, bodyStart, bodyEnd } = readEncapsulated(content, at);
    at = bodyEnd;
    if (message === 0) continue;
    parts.push(decodeRecordBatch(schema, header, content.subarray(bodyStart, bodyEnd)).columns);
  }
  return parts;
}

async function writeAll(file: FileHandle, parts: readonly Uint8Array[]): Promise<number> {
  const filled = parts.filter((part) => part.byteLength > 0);
  const total = filled.reduce((sum, part) => sum + part.byteLength, 0);
  const { bytesWritten } = await file.writev(filled);
  if (bytesWritten === total) return total;
  // A short write: the rest goes in one piece.
  const rest = Buffer.concat(filled).subarray(bytesWritten);
  for (let at = 0; at < rest.length; ) at += (await file.write(rest, at)).bytesWritten;
  return total;
}

async function readAll(file: FileHandle, target: Uint8Array, path: string): Promise<void> {
  for (let at = 0; at < target.length; ) {
    const { bytesRead } = await file.read(target, at, Math.min(target.length - at, 1 << 30), at);
    if (bytesRead === 0) throw damaged(path);
    at += bytesRead;
  }
}

function damaged(path: string): FeatureStoreError {
  return new FeatureStoreError(
    'DATA_LOSS',
    `projection file ${path} is damaged; its folder can be deleted, and it is built again from the source`,
  );
}
