/** The body of a request, read whole within its limit. */
import type { IncomingMessage } from 'node:http';
import { FeatureStoreError } from '../errors.ts';
import type { Lifetime } from './lifetime.ts';

/** OUT_OF_RANGE past `maxBytes`; what is left of the body is then read and dropped, so that the client hears of it. */
export function readBody(request: IncomingMessage, maxBytes: number, lifetime: Lifetime): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const declared = Number(request.headers['content-length'] ?? 0);
    const chunks: Buffer[] = [];
    let bytes = 0;

    const end = () => {
      request.off('data', take);
      request.off('end', finish);
      request.off('error', fail);
    };
    const refuse = (error: unknown) => {
      end();
      request.on('error', () => {});
      request.resume();
      reject(error);
    };
    const take = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > maxBytes) refuse(tooLarge(maxBytes));
      else chunks.push(chunk);
    };
    const finish = () => {
      end();
      resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, bytes));
    };
    const fail = () => refuse(new FeatureStoreError('ABORTED', 'the client went away before its request was whole'));

    if (declared > maxBytes) return refuse(tooLarge(maxBytes));
    request.on('data', take).on('end', finish).on('error', fail);
    lifetime.onEnd(refuse);
  });
}

/** Whether a body is JSON by what its header says; a form that a foreign page sends never is. */
export function isJsonType(contentType: string | undefined): boolean {
  return contentType !== undefined && /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(contentType);
}

function tooLarge(maxBytes: number): FeatureStoreError {
  return new FeatureStoreError('OUT_OF_RANGE', `the body is larger than the ${maxBytes} bytes that http.maxBodyBytes allows`, {
    details: { max_bytes: maxBytes },
  });
}
