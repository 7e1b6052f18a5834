/** What the process gives the HTTP face to answer with: it knows requests and answers, and nothing of threads. */
import type { AccessControl } from '../access/caller.ts';
import type { ShownToken, TokenRequest } from '../access/tokens.ts';
import type { ErasureReport, ShownErasure } from '../materialize/erase.ts';
import type { Logger } from '../observe.ts';
import type { OnlineFeatures } from '../online/retrieve/answer.ts';
import type { OnlineStore } from '../online/store.ts';
import type { RegistryDocument } from '../registry/document.ts';
import type { Metrics } from './metrics.ts';

export interface HttpParts {
  readonly access: AccessControl;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly limits: HttpLimits;
  readonly version: string;
  readonly store: Pick<OnlineStore, 'check' | 'name'>;
  /** What is applied; version 0 where nothing is. */
  registry(): RegistryDocument;
  readonly online: OnlineFeatures;
  readonly writes: Writes;
  readonly server: ServerActions;
}

export interface HttpLimits {
  readonly timeoutMs: number;
  readonly maxBodyBytes: number;
  readonly maxRows: number;
  readonly maxConcurrentRequests: number;
  readonly maxJsonDepth: number;
}

/** Rows as columns by name, as they came in JSON. */
export type JsonColumns = Readonly<Record<string, readonly unknown[]>>;

export interface Writes {
  /** Rows of a source, into its archive, the online store or both. */
  push(request: PushRequest, signal: AbortSignal): Promise<Readonly<Record<string, unknown>>>;
  /** Rows of a view, into the online store alone. */
  writeOnline(view: string, rows: JsonColumns, signal: AbortSignal): Promise<Readonly<Record<string, unknown>>>;
  /** Moves the newest values of views into the online store; `onProgress` is told how far it is. */
  materialize(
    request: MaterializeRequest,
    signal: AbortSignal,
    onProgress: (progress: unknown) => void,
  ): Promise<Readonly<Record<string, unknown>>>;
  erase(request: ErasureRequest, signal: AbortSignal): Promise<ErasureReport>;
  liftErasure(request: ErasureRequest, signal: AbortSignal): Promise<{ readonly lifted: boolean }>;
  listErasures(signal: AbortSignal): Promise<readonly ShownErasure[]>;
}

/** One entity by its join keys. */
export interface ErasureRequest {
  readonly entity: string;
  readonly keys: Readonly<Record<string, unknown>>;
}

export interface PushRequest {
  readonly source: string;
  readonly rows: JsonColumns;
  readonly to: 'online' | 'offline' | 'online_and_offline';
  readonly idempotencyKey?: string;
}

export interface MaterializeRequest {
  /** undefined: all. */
  readonly views?: readonly string[];
  /** ISO instants; without a start it is incremental. */
  readonly start?: string;
  readonly end?: string;
}

/** What the catalogue and the state do, wherever in the process they live. */
export interface ServerActions {
  list(kind: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
  describe(kind: string, name: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
  plan(): Promise<unknown>;
  apply(): Promise<unknown>;
  createToken(request: TokenRequest): Promise<ShownToken & { readonly token: string }>;
  listTokens(): Promise<readonly ShownToken[]>;
  revokeToken(id: string): Promise<ShownToken>;
}
