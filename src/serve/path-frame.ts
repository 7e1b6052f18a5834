/** An entity frame that the server reads itself: a file inside what clients may name. */
import { stat } from 'node:fs/promises';
import type { Dictionaries } from '../arrow/dictionaries.ts';
import { changedDictionaries } from '../arrow/dictionary-changes.ts';
import { FeatureStoreError } from '../errors.ts';
import type { Engine } from '../offline/duckdb/engine.ts';
import type { FrameFile } from '../offline/frame/frame-file.ts';
import { openFrameFile } from '../offline/frame/open-frame-file.ts';
import { encodeDictionaries, plainReader, type SentBatch } from './frame.ts';
import { resolveReadable } from './readable-paths.ts';

/** Opens the frame at a path that a client named. */
export async function openPathFrame(engine: Engine, path: string, root: string, readable: readonly string[]) {
  const file = await resolveReadable(path, root, readable);
  // Opening a pipe would wait for its writer, and hold a thread of the process for as long; a device may never end.
  if (!(await stat(file)).isFile())
    throw new FeatureStoreError('INVALID_ARGUMENT', `"${path}" is no regular file; name one, or send the frame instead`, {
      details: { path },
    });
  const frame = await openFrameFile(engine, { file, name: path, root });
  return { ...frame, batches: (maxRows: number, signal: AbortSignal) => readBatches(frame, maxRows, signal) };
}

async function* readBatches(
  { schema, batches }: FrameFile,
  maxRows: number,
  signal: AbortSignal,
): AsyncGenerator<SentBatch, void> {
  let sent: Dictionaries = new Map();
  for await (const { columns, length, dictionaries } of batches(maxRows, signal)) {
    const before = encodeDictionaries(changedDictionaries(schema, sent, dictionaries));
    sent = dictionaries;
    yield { columns, length, before, plain: plainReader(columns, dictionaries) };
  }
}
