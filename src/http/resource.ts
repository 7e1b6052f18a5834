/** What one address answers with: a plain value, mounted on express and, where it must be fast, ahead of it. */
import type { IncomingHttpHeaders } from 'node:http';
import type { z } from 'zod';
import type { Caller } from '../access/caller.ts';
import type { RequiredScope } from '../access/scope.ts';
import type { Actor } from '../audit/actor.ts';
import type { AuditAction } from '../audit/entry.ts';
import type { JsonValue } from '../json/parse-json.ts';

/** Whose errors and manners: our own, or those that Feast's clients expect. */
export type Family = 'ours' | 'feast';

export interface Resource {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** As express matches it. */
  readonly path: string;
  readonly family: Family;
  readonly scope: RequiredScope;
  /** What it does, for the OpenAPI page. */
  readonly summary: string;
  /** The schema of what may follow `?`. */
  readonly query?: z.ZodObject;
  /** The schema of the JSON body of a POST. */
  readonly body?: z.ZodType;
  /** The schema of the JSON answer, where it has one. */
  readonly answers?: z.ZodType;
  /** Not bound by `http.timeoutMs`: what it does takes as long as it takes. */
  readonly isLong?: true;
  /** Answers also when as many requests are answered as may: what watches the server must not go blind with it. */
  readonly isVital?: true;
  /** What it changes: who is refused it is told in the audit log. */
  readonly act?: AuditAction;
  answer(request: ResourceRequest): Reply | Promise<Reply>;
}

export interface ResourceRequest {
  readonly id: string;
  readonly caller: Caller;
  /** The caller as the audit log has them. */
  readonly actor: Actor;
  /** The named parts of the path. */
  readonly params: Readonly<Record<string, string>>;
  /** What follows `?`. */
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** The JSON of a POST; undefined otherwise. */
  readonly body: JsonValue | undefined;
  /** Aborts when the client goes away or the time is up. */
  readonly signal: AbortSignal;
}

export interface Reply {
  readonly status: number;
  readonly type: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** An iterable is sent piece by piece as it comes. */
  readonly body: string | Uint8Array | AsyncIterable<string>;
  /** The feature service that was asked for, where it exists: a label of metrics. */
  readonly service?: string;
}

export const jsonType = 'application/json';

/** A JSON answer of values that JSON.stringify writes without loss. */
export function jsonReply(value: unknown, status = 200): Reply {
  return { status, type: jsonType, body: JSON.stringify(value) };
}
