/** The PEM files of a stream's TLS. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { FeatureStoreError } from '../../errors.ts';
import type { StreamDocument } from '../../registry/document.ts';

export interface TlsMaterial {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** Reads them, relative to the repository at `root`; FAILED_PRECONDITION names the file that cannot be read. */
export function readTls(what: string, files: NonNullable<StreamDocument['tls']>, root: string): TlsMaterial {
  const read = (option: keyof typeof files): string | undefined => {
    const path = files[option];
    if (path === undefined) return undefined;
    try {
      return readFileSync(resolve(root, path), 'utf8');
    } catch (cause) {
      throw new FeatureStoreError('FAILED_PRECONDITION', `${what} cannot read the ${option} of its TLS, "${path}"`, { cause });
    }
  };
  return { ca: read('caFile'), cert: read('certFile'), key: read('keyFile') };
}
