/** The files of TLS, read and tried before anything listens: a bad one is refused by its name. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Config } from '../config.ts';
import { FeatureStoreError } from '../errors.ts';

export interface TlsFiles {
  readonly certificate: Uint8Array;
  readonly key: Uint8Array;
  readonly clientAuthority?: Uint8Array;
}

/** undefined where the config has no TLS; INVALID_ARGUMENT for a file that cannot be read or is not what it should be. */
export async function readTlsFiles({ tls }: Pick<Config, 'tls'>): Promise<TlsFiles | undefined> {
  if (tls === undefined) return undefined;
  const certificate = await readPem('tls.cert', tls.cert);
  const key = await readPem('tls.key', tls.key);
  const parsed = parse('tls.cert', tls.cert, 'certificate', () => new X509Certificate(certificate));
  const secret = parse('tls.key', tls.key, 'private key', () => createPrivateKey(key));
  if (!parsed.checkPrivateKey(secret)) {
    throw new FeatureStoreError('INVALID_ARGUMENT', `tls.key (${tls.key}) is not the key of tls.cert (${tls.cert})`);
  }
  if (tls.clientCa === undefined) return { certificate, key };
  const clientAuthority = await readPem('tls.clientCa', tls.clientCa);
  parse('tls.clientCa', tls.clientCa, 'certificate', () => new X509Certificate(clientAuthority));
  return { certificate, key, clientAuthority };
}

async function readPem(option: string, path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : 'it cannot be read';
    throw new FeatureStoreError('INVALID_ARGUMENT', `${option}: ${path} cannot be read: ${reason}`, {
      details: { option },
      cause,
    });
  }
}

function parse<T>(option: string, path: string, what: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new FeatureStoreError('INVALID_ARGUMENT', `${option}: ${path} holds no ${what} in PEM`, { details: { option }, cause });
  }
}
