/** HTTP calls to one server over kept connections: a deadline over all tries, and retries only where a second one changes nothing. */
import { type ClientRequest, Agent as HttpAgent, type IncomingMessage, request as plainRequest } from 'node:http';
import { Agent as HttpsAgent, request as secureRequest } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { FeatureStoreError } from '../../errors.ts';
import { traceHeaders } from '../trace-headers.ts';
import { linesType, readReply } from './read-reply.ts';

export interface HttpOptions {
  /** `http://host:port` or `https://host:port`. */
  readonly url: string;
  readonly token?: string;
  /** PEM of who may have signed the server's certificate; default what Node trusts. */
  readonly ca?: string | Uint8Array;
  /** How often a call that failed for the moment is tried again; default 2. */
  readonly retries?: number;
}

export interface HttpCall {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly body?: string;
  readonly signal?: AbortSignal;
  /** Over all tries; none: no limit. */
  readonly timeoutMs?: number;
  /** Asks for how far it is, and is told. */
  readonly onProgress?: (progress: unknown) => void;
  /** Whether doing it twice is doing it once. */
  readonly isRepeatable: boolean;
}

export interface HttpConnection {
  readonly address: string;
  /** The answer's JSON; rejects with the server's own error, UNAVAILABLE, DEADLINE_EXCEEDED or ABORTED. */
  call(call: HttpCall): Promise<unknown>;
  close(): void;
}

/** Opens nothing yet; INVALID_ARGUMENT for an address or a token that cannot be used. */
export function openHttp(options: HttpOptions): HttpConnection {
  const base = parseHttpAddress(options.url);
  const { token, ca, retries = 2 } = options;
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
    throw new FeatureStoreError('INVALID_ARGUMENT', 'the token has characters that no token has; copy it again, without spaces');
  }
  const isSecure = base.protocol === 'https:';
  const authority = ca === undefined ? {} : { ca: typeof ca === 'string' ? ca : Buffer.from(ca) };
  const agent = isSecure ? new HttpsAgent({ keepAlive: true, ...authority }) : new HttpAgent({ keepAlive: true });
  const authorization: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };

  async function once(call: HttpCall, signal: AbortSignal | undefined): Promise<unknown> {
    const body = call.body === undefined ? undefined : Buffer.from(call.body);
    const length: Record<string, string> =
      body === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(body.length) };
    const accept: Record<string, string> = call.onProgress === undefined ? {} : { accept: linesType };
    const headers = { ...traceHeaders(), ...authorization, ...length, ...accept };
    const open = isSecure ? secureRequest : plainRequest;
    try {
      const asked = open(new URL(call.path, base), { method: call.method, agent, headers, signal });
      return await readReply(await exchange(asked, body), base.origin, call.onProgress);
    } catch (error) {
      throw lost(error, base.origin);
    }
  }

  return {
    address: base.origin,
    close: () => agent.destroy(),
    async call(call) {
      const deadline = call.timeoutMs === undefined ? undefined : AbortSignal.timeout(call.timeoutMs);
      const signals = [call.signal, deadline].filter((one) => one !== undefined);
      const signal = signals.length === 0 ? undefined : AbortSignal.any(signals);
      for (let attempt = 0; ; attempt++) {
        try {
          signal?.throwIfAborted();
          return await once(call, signal);
        } catch (error) {
          if (call.signal?.aborted) throw aborted(call.signal);
          if (deadline?.aborted) throw late(base.origin, call.timeoutMs as number);
          if (!call.isRepeatable || attempt >= retries || !isPassing(error)) throw error;
          await sleep(waitMs(error, attempt), undefined, { signal }).catch(() => {});
        }
      }
    },
  };
}

function parseHttpAddress(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const rest = url === undefined ? '' : url.pathname.replace(/^\/$/, '') + url.username + url.search + url.hash;
  if (url !== undefined && ['http:', 'https:'].includes(url.protocol) && rest === '') return url;
  throw new FeatureStoreError(
    'INVALID_ARGUMENT',
    `"${text}" is not an HTTP address of a server: write http://host:port, or https://host:port for TLS`,
    { details: { url: text } },
  );
}

/** Sends it; resolves when the answer begins. */
function exchange(call: ClientRequest, body: Buffer | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    call.on('error', reject);
    call.on('response', resolve);
    call.end(body);
  });
}

function lost(cause: unknown, address: string): unknown {
  if (cause instanceof FeatureStoreError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new FeatureStoreError('UNAVAILABLE', `no answer from ${address} (${reason}); is the server running there?`, { cause });
}

function isPassing(error: unknown): boolean {
  return error instanceof FeatureStoreError && (error.code === 'UNAVAILABLE' || error.code === 'RESOURCE_EXHAUSTED');
}

/** What the server asks for, else 50 ms that double; each spread, so that callers do not come back together. */
function waitMs(error: unknown, attempt: number): number {
  const asked = error instanceof FeatureStoreError ? error.details.retry_after_seconds : undefined;
  const least = typeof asked === 'number' ? asked * 1000 : 50 * 2 ** attempt;
  return least * (1 + Math.random() / 2);
}

function aborted(signal: AbortSignal): FeatureStoreError {
  return new FeatureStoreError('ABORTED', 'the call was stopped by its caller', { cause: signal.reason });
}

function late(address: string, timeoutMs: number): FeatureStoreError {
  return new FeatureStoreError('DEADLINE_EXCEEDED', `${address} did not answer within ${timeoutMs} ms`, {
    details: { timeoutMs },
  });
}
