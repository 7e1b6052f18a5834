/** Entity frames in files: Arrow IPC by itself, Parquet, CSV and JSON through the engine. */
import { extname } from 'node:path';
import { FeatureStoreError } from '../../errors.ts';
import type { TableDocument } from '../../registry/document.ts';
import type { Engine } from '../duckdb/engine.ts';
import { openArrowFrame } from './arrow-frame.ts';
import type { FrameFile, FramePath } from './frame-file.ts';
import { openTableFrame } from './table-frame.ts';

/** Extensions of Arrow IPC, with a footer or as a stream. */
export const arrowExtensions: readonly string[] = ['.arrow', '.feather', '.ipc', '.arrows'];

const tableFormats: Readonly<Record<string, TableDocument['format']>> = {
  '.parquet': 'parquet',
  '.csv': 'csv',
  '.json': 'json',
  '.jsonl': 'json',
};

/**
 * Opens a frame by its name's extension. Its columns have the types that docs/reference/types.md says; INVALID_ARGUMENT for a
 * column that cannot be read without loss, and for an extension that is not read.
 */
export async function openFrameFile(engine: Engine, path: FramePath): Promise<FrameFile> {
  const extension = extname(path.name).toLowerCase();
  if (arrowExtensions.includes(extension)) return await openArrowFrame(path);
  const format = tableFormats[extension];
  if (format !== undefined) return await openTableFrame(engine, format, path);
  const read = [...Object.keys(tableFormats), ...arrowExtensions].join(', ');
  throw new FeatureStoreError('INVALID_ARGUMENT', `"${path.name}" is no entity frame: its name must end in ${read}`, {
    details: { path: path.name },
  });
}
