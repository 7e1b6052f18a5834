/** An entity frame in an Arrow IPC file or stream: its columns come as they are. */
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { relative } from 'node:path';
import { columnFromValues } from '../../arrow/build.ts';
import { completeDictionaries } from '../../arrow/dictionary-changes.ts';
import { type ArrowFileReader, openArrowFile } from '../../arrow/file-reader.ts';
import type { Schema } from '../../arrow/schema.ts';
import { encodeSchemaMessage } from '../../arrow/schema-message.ts';
import { sliceColumn } from '../../arrow/slice.ts';
import { FeatureStoreError } from '../../errors.ts';
import type { FrameFile, FramePath, FrameRows } from './frame-file.ts';

/** Opens the frame; INVALID_ARGUMENT where the file is malformed or cut short. */
export async function openArrowFrame(path: FramePath): Promise<FrameFile> {
  const { file, root, name } = path;
  const { size, mtimeNs } = await stat(file, { bigint: true }).catch((error: unknown) =>
    Promise.reject(asReadError(error, name)),
  );
  const reader = await openFile(path);
  await reader.close();
  const { schema } = reader;
  return {
    schema,
    rows: undefined,
    hash: createHash('sha256')
      .update(JSON.stringify([relative(root, file), String(size), String(mtimeNs)]))
      .digest('hex'),
    batches: (maxRows, signal) => readBatches(path, schema, maxRows, signal),
  };
}

async function* readBatches(
  path: FramePath,
  schema: Schema,
  maxRows: number,
  signal: AbortSignal,
): AsyncGenerator<FrameRows, void> {
  const reader = await openFile(path);
  try {
    if (Buffer.compare(encodeSchemaMessage(reader.schema), encodeSchemaMessage(schema)) !== 0)
      throw new FeatureStoreError('ABORTED', `"${path.name}" was replaced while it was read; run it again`);
    let isEmpty = true;
    for await (const { batch, dictionaries } of reader.batches()) {
      isEmpty = false;
      for (let start = 0; start === 0 || start < batch.length; start += maxRows) {
        signal.throwIfAborted();
        const end = Math.min(batch.length, start + maxRows);
        yield { columns: batch.columns.map((column) => sliceColumn(column, start, end)), length: end - start, dictionaries };
      }
    }
    if (!isEmpty) return;
    const columns = schema.fields.map((field) => columnFromValues(field, []));
    yield { columns, length: 0, dictionaries: completeDictionaries(schema, new Map()) };
  } finally {
    await reader.close();
  }
}

function openFile({ file, name }: FramePath): Promise<ArrowFileReader> {
  return openArrowFile(file).catch((error: unknown) => Promise.reject(asReadError(error, name)));
}

function asReadError(error: unknown, name: string): unknown {
  if (error instanceof FeatureStoreError || !(error instanceof Error) || !('syscall' in error)) return error;
  return new FeatureStoreError('FAILED_PRECONDITION', `"${name}" cannot be read: ${error.message}`, { cause: error });
}
