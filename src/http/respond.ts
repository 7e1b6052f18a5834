/** Answers one request: who calls, whether there is room, the body, the resource, the reply; and what is told of it afterwards. */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { type Caller, nobody, requireScope } from '../access/caller.ts';
import { type Actor, traceIdOf } from '../audit/actor.ts';
import { FeatureStoreError } from '../errors.ts';
import { parseJson } from '../json/parse-json.ts';
import { compressBody, encodingFor } from './compress.ts';
import { errorReply } from './error-reply.ts';
import type { Gate } from './gate.ts';
import { openLifetime } from './lifetime.ts';
import type { HttpParts } from './parts.ts';
import { isJsonType, readBody } from './request-body.ts';
import { jsonType, type Reply, type Resource } from './resource.ts';

export type Respond = (
  resource: Resource,
  params: Readonly<Record<string, string>>,
  request: IncomingMessage,
  response: ServerResponse,
) => Promise<void>;

export interface Responder extends Pick<HttpParts, 'access' | 'audit' | 'logger' | 'metrics' | 'limits'> {
  readonly gate: Gate;
  /** Whether the server is about to stop, and connections are to end with their answers. */
  isStopping(): boolean;
}

/** An error whose status is not that of its code. */
class Refusal {
  readonly error: unknown;
  readonly status: number | undefined;

  constructor(error: unknown, status?: number) {
    this.error = error;
    this.status = status;
  }
}

function asRefusal(thrown: unknown): Refusal {
  return thrown instanceof Refusal ? thrown : new Refusal(thrown);
}

export function createRespond(responder: Responder): Respond {
  const { access, audit, gate, limits, logger, metrics } = responder;

  return async (resource, params, request, response) => {
    const startedMs = performance.now();
    const id = requestId(request.headers['x-request-id']);
    const lifetime = openLifetime(response);
    let leave = () => {};
    let failure: unknown;
    let reply: Reply;
    let caller = nobody;
    try {
      reply = await answer();
    } catch (thrown) {
      const refused = asRefusal(thrown);
      failure = refused.error;
      reply = errorReply(resource.family, refused.error, id, refused.status);
      if (resource.act !== undefined) audit.refused(actorOf(caller, id, request), resource.act, failure);
    }
    if (lifetime.reason !== undefined && !isTimeout(lifetime.reason)) response.destroy();
    else await send(reply, id, request, response).catch(() => response.destroy());
    leave();
    record(reply, failure, startedMs, id);

    async function answer(): Promise<Reply> {
      if (resource.scope !== 'public') caller = access.authenticate(bearerToken(request.headers.authorization));
      requireScope(caller, resource.scope);
      if (!resource.isVital) leave = gate.enter();
      if (!resource.isLong) lifetime.limit(limits.timeoutMs);
      try {
        const body = resource.method === 'POST' ? await readJson() : undefined;
        const query = queryOf(request.url as string);
        const { headers } = request;
        const asked = {
          id,
          caller,
          params,
          query,
          headers,
          body,
          get actor() {
            return actorOf(caller, id, request);
          },
          get signal() {
            return lifetime.signal;
          },
        };
        const answered = resource.answer(asked);
        return answered instanceof Promise ? await lifetime.within(answered) : answered;
      } finally {
        lifetime.release();
      }
    }

    async function readJson() {
      const { 'content-type': type, 'content-encoding': encoding = 'identity' } = request.headers;
      if (!isJsonType(type)) throw refusal(415, `the body must be JSON: send "content-type: ${jsonType}"`);
      if (encoding !== 'identity')
        throw refusal(415, `the body must be sent as it is, and not with "content-encoding: ${encoding}"`);
      try {
        return parseJson(await readBody(request, limits.maxBodyBytes, lifetime), limits.maxJsonDepth);
      } catch (error) {
        throw isTimeout(error) ? new Refusal(error, 408) : error;
      }
    }

    function record({ status, service = '' }: Reply, thrown: unknown, started: number, request: string): void {
      const seconds = (performance.now() - started) / 1000;
      metrics.countRequest(resource.path, service, status, seconds);
      const ms = Math.round(seconds * 1000);
      const fields = { request_id: request, method: resource.method, route: resource.path, status, ms };
      if (thrown === undefined) logger.debug(fields, 'http request answered');
      else if (thrown instanceof FeatureStoreError && thrown.code !== 'INTERNAL')
        logger[status < 500 ? 'info' : 'warn']({ ...fields, code: thrown.code }, 'http request refused');
      else logger.error({ ...fields, err: thrown }, 'http request failed');
    }
  };

  async function send(reply: Reply, id: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const headers: Record<string, string | number> = { 'content-type': reply.type, 'x-request-id': id, ...reply.headers };
    if (responder.isStopping()) headers.connection = 'close';
    if (typeof reply.body === 'object' && !(reply.body instanceof Uint8Array)) {
      response.writeHead(reply.status, headers);
      await pipeline(reply.body, response);
      return;
    }
    const encoding = encodingFor(reply.body, request.headers['accept-encoding'] as string | undefined);
    const body = encoding === undefined ? reply.body : await compressBody(reply.body, encoding);
    if (encoding !== undefined) {
      headers['content-encoding'] = encoding;
      headers.vary = 'accept-encoding';
    }
    headers['content-length'] = Buffer.byteLength(body);
    response.writeHead(reply.status, headers);
    response.end(body);
  }
}

function actorOf({ name, token }: Caller, requestId: string, { headers, socket }: IncomingMessage): Actor {
  const { remoteAddress: address } = socket;
  return { caller: name, token, door: 'http', address, requestId, traceId: traceIdOf(headers.traceparent as string | undefined) };
}

/** The caller's own id where it is short and printable, so that it can be followed through logs. */
function requestId(sent: string | string[] | undefined): string {
  if (typeof sent === 'string' && /^[\x21-\x7e]{1,128}$/.test(sent)) return sent;
  made += 1;
  return `${processId}-${made.toString(36)}`;
}

const processId = randomBytes(6).toString('hex');
let made = 0;

function bearerToken(authorization: string | undefined): string | undefined {
  return authorization === undefined ? undefined : (/^bearer +(\S+) *$/i.exec(authorization)?.[1] ?? '');
}

function queryOf(url: string): URLSearchParams {
  const mark = url.indexOf('?');
  return mark < 0 ? noQuery : new URLSearchParams(url.slice(mark));
}

const noQuery = new URLSearchParams();

function refusal(status: number, message: string): Refusal {
  return new Refusal(new FeatureStoreError('INVALID_ARGUMENT', message), status);
}

function isTimeout(error: unknown): boolean {
  return error instanceof FeatureStoreError && error.code === 'DEADLINE_EXCEEDED';
}
