/** Bodies as small as the client asked for, where that is worth its time. */
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

/** Below it the headers and the work outweigh what is saved. */
const smallestBytes = 4_096;

const gzipFast = (bytes: Uint8Array): Promise<Buffer> => promisify(gzip)(bytes, { level: 1 });
const brotliFast = (bytes: Uint8Array): Promise<Buffer> =>
  promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } });

export interface Compressed {
  readonly encoding: 'gzip' | 'br';
  readonly bytes: Uint8Array;
}

/** undefined where the body is small or no encoding of ours was asked for; runs off the main thread. */
export async function compressBody(body: string | Uint8Array, accepted: string | undefined): Promise<Compressed | undefined> {
  if (body.length < smallestBytes) return undefined;
  const encoding = chooseEncoding(accepted);
  if (encoding === undefined) return undefined;
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  return { encoding, bytes: await (encoding === 'br' ? brotliFast : gzipFast)(bytes) };
}

/** By `Accept-Encoding`, with its weights: brotli rather than gzip where both are as welcome. */
export function chooseEncoding(accepted: string | undefined): 'gzip' | 'br' | undefined {
  if (accepted === undefined) return undefined;
  const weights = new Map<string, number>();
  for (const part of accepted.toLowerCase().split(',')) {
    const [name = '', ...parameters] = part.split(';').map((text) => text.trim());
    const weight = parameters.find((parameter) => parameter.startsWith('q='));
    weights.set(name, weight === undefined ? 1 : Number(weight.slice(2)));
  }
  const weightOf = (name: string) => weights.get(name) ?? weights.get('*') ?? 0;
  const [brotli, zipped] = [weightOf('br'), weightOf('gzip')];
  if (brotli > 0 && brotli >= zipped) return 'br';
  return zipped > 0 ? 'gzip' : undefined;
}
