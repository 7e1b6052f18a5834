/** What the process gives the HTTP face to answer with: it knows requests and answers, and nothing of threads. */
import type { AccessControl, Caller } from '../access/caller.ts';
import type { ShownToken, TokenRequest } from '../access/tokens.ts';
import type { Actor } from '../audit/actor.ts';
import type { AuditAction } from '../audit/entry.ts';
import type { AuditQuery } from '../audit/query.ts';
import type { AuditPage } from '../audit/read.ts';
import type { LineageGraph } from '../lifecycle/lineage-graph.ts';
import type { ErasureReport, LiftReport, ShownErasure } from '../materialize/erase.ts';
import type { Logger, Tracer } from '../observe.ts';
import type { OnlineAnswer, OnlineFeatures, OnlineRequest } from '../online/retrieve/answer.ts';
import type { OnlineStore } from '../online/store.ts';
import type { RegistryDocument } from '../registry/document.ts';
import type { ShownAlerts } from '../validate/alerts/show.ts';
import type { ViewFreshness } from '../validate/freshness.ts';
import type { FeatureHealth } from '../validate/health/watch.ts';
import type { CheckedFeature, JudgingKind, LastCheck } from '../validate/last-checks.ts';
import type { ScheduledChecks } from '../validate/missed-checks.ts';
import type { Explanation } from '../validate/parity/explain.ts';
import type { ReportEnvelope, ReportKind } from '../validate/reports.ts';
import type { Metrics } from './metrics.ts';
import type { RunSqlRequest } from './run-sql-requests.ts';
import type { ReplayRequest, ResetRequest, SetAsideRequest } from './stream-requests.ts';

export interface HttpParts {
  readonly access: AccessControl;
  readonly logger: Logger;
  /** Where requests are traced. */
  readonly tracer?: Tracer;
  readonly metrics: Metrics;
  readonly limits: HttpLimits;
  readonly version: string;
  readonly store: Pick<OnlineStore, 'check' | 'name'>;
  /** What is applied; version 0 where nothing is. */
  registry(): RegistryDocument;
  readonly online: OnlineFeatures;
  /** Is told of every online answer that is about to be sent, and never holds it up. */
  served(answer: OnlineAnswer, asked: { readonly requestId: string; readonly caller: Caller }): void;
  readonly writes: Writes;
  readonly server: ServerActions;
  readonly streams: StreamActions;
  readonly validations: ValidationActions;
  readonly datasets: DatasetCalls;
  readonly audit: AuditActions;
}

/** Who asks for something to be done, and when they no more want it. */
export interface Asking {
  readonly actor: Actor;
  readonly signal: AbortSignal;
}

/** What is told of who changed what. */
export interface AuditActions {
  read(query: AuditQuery, signal: AbortSignal): Promise<AuditPage>;
  /** Tells of an act that was refused for want of a token, a scope or a view; never waits. */
  refused(actor: Actor, action: AuditAction, error: unknown): void;
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
  push(request: PushRequest, asking: Asking): Promise<Readonly<Record<string, unknown>>>;
  /** Rows of a view, into the online store alone. */
  writeOnline(view: string, rows: JsonColumns, asking: Asking): Promise<Readonly<Record<string, unknown>>>;
  /** Moves the newest values of views into the online store; `onProgress` is told how far it is. */
  materialize(
    request: MaterializeRequest,
    asking: Asking,
    onProgress: (progress: unknown) => void,
  ): Promise<Readonly<Record<string, unknown>>>;
  /** Runs ticks of an SQL source; `onProgress` is told after each. */
  runSql(
    request: RunSqlRequest & { readonly source: string },
    asking: Asking,
    onProgress: (progress: unknown) => void,
  ): Promise<Readonly<Record<string, unknown>>>;
  erase(request: ErasureRequest, asking: Asking): Promise<ErasureReport>;
  liftErasure(request: ErasureRequest, asking: Asking): Promise<LiftReport>;
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
  /**
   * `onProgress` is told while features of stream views are filled, before they are served; `force` applies also what takes away what was
   * read of late.
   */
  apply(options: { readonly force: boolean }, actor: Actor, onProgress: OnProgress): Promise<unknown>;
  createToken(request: TokenRequest, actor: Actor): Promise<ShownToken & { readonly token: string }>;
  listTokens(): Promise<readonly ShownToken[]>;
  revokeToken(id: string, actor: Actor): Promise<ShownToken>;
}

/** Checks of what was served, and what they found. */
export interface ValidationActions {
  /** `input` has a member `kind`. */
  run(input: unknown, asking: Asking, onProgress: OnProgress): Promise<unknown>;
  /** One entity online and offline, with what each value is made of. */
  explain(request: OnlineRequest, signal: AbortSignal): Promise<Explanation>;
  /** What they tell of `views`; undefined: of all. */
  listReports(query: {
    readonly kind: ReportKind | undefined;
    readonly limit: number | undefined;
    readonly views: readonly string[] | undefined;
  }): Promise<{ readonly reports: readonly ReportEnvelope[]; readonly left_out: number }>;
  readReport(id: string, views: readonly string[] | undefined): Promise<ReportEnvelope>;
  /** What the last look at single features found. */
  featureHealth(): Promise<FeatureHealth>;
  /** What the last check of each feature found. */
  lastChecks(kind: JudgingKind): Promise<readonly LastCheck<CheckedFeature>[]>;
  /** Which scheduled checks could not be made last time. */
  scheduledChecks(): Promise<ScheduledChecks>;
  /** How old what is served of views is. */
  viewHealth(): Promise<readonly ViewFreshness[]>;
  /** The rules of the config, and what they found. */
  alerts(): Promise<ShownAlerts>;
}

type OnProgress = (progress: unknown) => void;
type Report = Readonly<Record<string, unknown>>;

/** Saved datasets; what the caller's token is not for is refused. */
export interface DatasetCalls {
  create(input: unknown, caller: Caller, asking: Asking, onProgress: OnProgress): Promise<unknown>;
  /** The newest version of each name, or all of one. */
  list(name: string | undefined, caller: Caller): Promise<readonly Report[]>;
  describe(dataset: string, caller: Caller): Promise<Report & { readonly name: string; readonly version: number }>;
  lineage(caller: Caller): Promise<LineageGraph>;
  diff(from: string, to: string, caller: Caller): Promise<unknown>;
  tag(input: unknown, caller: Caller, actor: Actor): Promise<unknown>;
  reproduce(dataset: string, caller: Caller, signal: AbortSignal, onProgress: OnProgress): Promise<unknown>;
  remove(dataset: string, force: boolean, caller: Caller, actor: Actor): Promise<unknown>;
}

/** What is told of event sources' streams and done with them. */
export interface StreamActions {
  /** All, or that of one source. */
  list(source: string | undefined, signal: AbortSignal): Promise<readonly Readonly<Record<string, unknown>>[]>;
  setAside(source: string, request: SetAsideRequest, signal: AbortSignal): Promise<Readonly<Record<string, unknown>>>;
  reset(source: string, request: ResetRequest, asking: Asking, onProgress: OnProgress): Promise<Report>;
  replay(source: string, request: ReplayRequest, asking: Asking, onProgress: OnProgress): Promise<Report>;
}
