/** Plain HTTP for tests: one call, its status, headers and text, over Node's own client. */
import { type IncomingHttpHeaders, request } from 'node:http';
import { request as secureRequest } from 'node:https';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly text: string;
  /** The text as JSON. */
  json(): unknown;
}

export interface HttpCall {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as it is; a POST has the content type of JSON unless the headers say otherwise. */
  readonly body?: string | Uint8Array;
  readonly signal?: AbortSignal;
  /** PEM of the authority to trust. */
  readonly ca?: string;
}

/** Resolves with whatever status the server answers; rejects where there is no answer. */
export function call(url: string, { method, headers = {}, body, signal, ca }: HttpCall = {}): Promise<HttpAnswer> {
  const verb = method ?? (body === undefined ? 'GET' : 'POST');
  const type = verb === 'POST' ? { 'content-type': 'application/json' } : {};
  return new Promise((resolve, reject) => {
    const open = url.startsWith('https:') ? secureRequest : request;
    const sent = open(url, { method: verb, headers: { ...type, ...headers }, signal, ...(ca && { ca }) }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const bytes = Buffer.concat(chunks);
        const text = bytes.toString();
        resolve({ status: response.statusCode as number, headers: response.headers, bytes, text, json: () => JSON.parse(text) });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Posts JSON. */
export function post(url: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<HttpAnswer> {
  return call(url, { method: 'POST', headers, body: JSON.stringify(body) });
}
