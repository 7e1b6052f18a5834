/** What a server answers, as JSON or line by line, and its errors as the client's own. */
import type { IncomingMessage } from 'node:http';
import { type ErrorCode, errorCodes, FeatureStoreError } from '../../errors.ts';

export const linesType = 'application/x-ndjson';

/** The answer's JSON or, of lines, what it gives at its end; `onProgress` is told what comes before. Rejects with the server's error. */
export async function readReply(
  response: IncomingMessage,
  address: string,
  onProgress: ((progress: unknown) => void) | undefined,
): Promise<unknown> {
  const status = response.statusCode as number;
  const isLines = response.headers['content-type']?.startsWith(linesType) === true;
  let last = '';
  response.setEncoding('utf8');
  for await (const text of response as AsyncIterable<string>) {
    last += text;
    if (!isLines) continue;
    const lines = last.split('\n');
    last = lines.pop() as string;
    for (const line of lines) {
      const { progress, done, error } = parse(status, line, address) as ServerLine;
      if (error !== undefined) throw errorOf(status, error, address);
      if (done !== undefined) return done;
      onProgress?.(progress);
    }
  }
  if (isLines)
    throw new FeatureStoreError('UNAVAILABLE', `${address} ended its answer before the end; how far it came is not known`);
  const json = parse(status, last, address);
  if (status < 400) return json;
  throw errorOf(status, (json as ServerLine | null)?.error, address);
}

interface ServerError {
  readonly code?: string;
  readonly message?: string;
  readonly details?: Record<string, unknown>;
}

interface ServerLine {
  readonly progress?: unknown;
  readonly done?: unknown;
  readonly error?: ServerError;
}

function parse(status: number, text: string, address: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const code = status === 502 || status === 503 || status === 504 ? 'UNAVAILABLE' : 'INTERNAL';
    throw new FeatureStoreError(code, `${address} answered ${status} with what is no JSON; is a Featherflight server there?`, {
      cause,
    });
  }
}

function errorOf(status: number, error: ServerError | undefined, address: string): FeatureStoreError {
  const code = errorCodes.find((each) => each === error?.code) ?? ('INTERNAL' satisfies ErrorCode);
  return new FeatureStoreError(code, error?.message ?? `${address} answered ${status}`, { details: error?.details ?? {} });
}
