/** LMDB maps its file and trusts it: a file that is none would take the process down, so it is looked at before. */
import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { basename } from 'node:path';
import { FeatureStoreError } from '../errors.ts';

/** DATA_LOSS for a file without LMDB's magic number (four bytes at 24, little endian); one that is not there, or empty, is good. */
export function checkLmdbFile(path: string): void {
  if (!existsSync(path)) return;
  const file = openSync(path, 'r');
  try {
    const head = Buffer.alloc(28);
    const length = readSync(file, head, 0, head.length, 0);
    if (length > 0 && (length < head.length || head.readUInt32LE(24) !== 0xbeef_c0de))
      throw new FeatureStoreError('DATA_LOSS', `${basename(path)} is no LMDB file`);
  } finally {
    closeSync(file);
  }
}
