/** Bodies as small as the client asked for, where that is worth its time. */
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

/** Below it the headers and the work outweigh what is saved. */
const smallestBytes = 4_096;

const gzipFast = (bytes: Uint8Array): Promise<Buffer> => promisify(gzip)(bytes, { level: 1 });
const brotliFast = (bytes: Uint8Array): Promise<Buffer> =>
  promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } });

export type Encoding = 'gzip' | 'br';

/** undefined where the body is small or no encoding of ours was asked for. */
export function encodingFor(body: string | Uint8Array, accepted: string | undefined): Encoding | undefined {
  return body.length < smallestBytes ? undefined : chooseEncoding(accepted);
}

/** Runs off the main thread. */
export function compressBody(body: string | Uint8Array, encoding: Encoding): Promise<Uint8Array> {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  return encoding === 'br' ? brotliFast(bytes) : gzipFast(bytes);
}

/** By `Accept-Encoding`, with its weights: brotli rather than gzip where both are as welcome. */
function chooseEncoding(accepted: string | undefined): Encoding | undefined {
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
