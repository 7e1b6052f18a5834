/** The main thread's half of the server: the online store, what is read from it, and HTTP. */

import { createAccessControl } from '../access/caller.ts';
import { readerOf, type TokenRecord } from '../access/token-record.ts';
import type { TokenRequest } from '../access/tokens.ts';
import { isDenial } from '../audit/acting.ts';
import type { AuditCounts } from '../audit/audit.ts';
import type { AuditPage } from '../audit/read.ts';
import type { Config } from '../config.ts';
import { createMetrics } from '../http/metrics.ts';
import type { Asking, HttpParts, ServerActions, StreamActions, ValidationActions, Writes } from '../http/parts.ts';
import { type HttpServer, startHttpServer } from '../http/server.ts';
import type { ShownStream } from '../http/stream-answers.ts';
import { namesOfAnswer } from '../lifecycle/read-names.ts';
import { createUsageTally } from '../lifecycle/usage-tally.ts';
import { readWatermarks } from '../materialize/view-state.ts';
import type { Logger, Tracer } from '../observe.ts';
import { openOnlineStore } from '../online/open-store.ts';
import { createOnlineRecords } from '../online/records.ts';
import { createOnlineFacts } from '../online/retrieve/facts.ts';
import { createOnlineFeatures } from '../online/retrieve/retrieve.ts';
import type { RegistryDocument } from '../registry/document.ts';
import { batchViewsOf } from '../registry/references.ts';
import type { ShownAlerts } from '../validate/alerts/show.ts';
import type { DriftFeature } from '../validate/drift/report.ts';
import type { ViewFreshness } from '../validate/freshness.ts';
import type { FeatureHealth } from '../validate/health/watch.ts';
import type { CheckedFeature, LastCheck } from '../validate/last-checks.ts';
import type { ScheduledChecks } from '../validate/missed-checks.ts';
import type { Explanation } from '../validate/parity/explain.ts';
import type { ParityFeature } from '../validate/parity/report.ts';
import type { ReportEnvelope } from '../validate/reports.ts';
import { productVersion } from '../version.ts';
import type { AlertFacts } from './alerts.ts';
import { datasetsThrough } from './datasets-through.ts';
import { openServedLog } from './served-log.ts';
import { readTlsFiles } from './tls-files.ts';
import { traceCalls } from './trace/trace-calls.ts';
import { traceStore } from './trace/trace-parts.ts';
import type { WorkerLink } from './worker-link.ts';
import { failureOf } from './worker-messages.ts';

export interface HttpSideOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly tracer: Tracer | undefined;
  readonly call: WorkerLink['call'];
  readonly send: WorkerLink['send'];
  readonly registry: RegistryDocument;
  readonly tokens: readonly TokenRecord[];
}

export interface HttpSide {
  readonly server: HttpServer;
  setRegistry(registry: RegistryDocument): void;
  setTokens(tokens: readonly TokenRecord[]): void;
  /** Reads again what is kept in memory of watermarks and fitted defaults. */
  loadFacts(): void;
  /** Sends what was served so far, and is to be logged, to the worker. */
  drainLog(): Promise<void>;
  /** Stores who has read what so far. */
  drainUsage(): Promise<void>;
  stop(): Promise<void>;
}

/** Opens the store and listens; whatever was opened is closed again where that fails. */
export async function startHttpSide(options: HttpSideOptions): Promise<HttpSide> {
  const { config, logger, tracer } = options;
  const call = traceCalls(options.call, tracer);
  const { project } = config;
  let { registry, tokens } = options;
  const tls = await readTlsFiles(config);
  const metrics = createMetrics();
  const store = metrics.measureStore(traceStore(openOnlineStore(config, logger), tracer));
  const records = createOnlineRecords(store, project);
  const facts = createOnlineFacts({
    store,
    project,
    registry: () => registry,
    readMaterialized: async (views, signal) =>
      (await readWatermarks(records, views, signal)).map((watermark) => watermark !== undefined),
    logger,
  });
  const usage = createUsageTally({ records, logger });
  const log = openServedLog({ config, records, registry: () => registry, call, logger });
  const loadFacts = () => {
    void facts.load().catch(() => {}); // a store that is away is told of by the loads that repeat
    void log?.loadProgress();
  };
  loadFacts();
  metrics.watchViews(async () => {
    const views = batchViewsOf(registry).map((view) => view.name);
    const [watermarks, newest] = await Promise.all([readWatermarks(records, views), call('newest_events', {})]);
    const newestOf = newest as Readonly<Record<string, bigint>>;
    return views.map((view, at) => ({ view, watermarkUs: watermarks[at]?.endUs, newestEventUs: newestOf[view] }));
  });
  metrics.watchStreams(async () => (await call('list_streams', {})) as readonly ShownStream[]);
  metrics.watchLog(async () => await log?.readCounts());
  metrics.watchParity(async () => (await call('last_checks', { kind: 'parity' })) as readonly ParityFeature[]);
  metrics.watchDrift(async () => (await call('last_checks', { kind: 'drift' })) as readonly DriftFeature[]);
  metrics.watchScheduled(async () => (await call('scheduled_checks', {})) as ScheduledChecks);
  metrics.watchFreshness(async () => (await call('freshness', {})) as readonly ViewFreshness[]);
  metrics.watchHealth(async () => (await call('feature_health', {})) as FeatureHealth);
  metrics.watchAudit(async () => (await call('audit_counts', {})) as AuditCounts);
  metrics.watchAlerts(async () => (await call('alerts', {})) as AlertFacts);
  const parts: HttpParts = {
    access: createAccessControl(project, () => tokens),
    logger,
    tracer,
    metrics,
    limits: config.http,
    version: productVersion,
    store,
    registry: () => registry,
    served(answer, { requestId, caller }) {
      metrics.countAnswer(answer);
      usage.read(answer.origin.plan, () => namesOfAnswer(answer), readerOf(tokens, caller.token));
      log?.served(answer, { requestId, reader: caller.token ?? null });
    },
    online: createOnlineFeatures({ store, project, registry: () => registry, facts }),
    writes: writesThrough(call),
    server: actionsThrough(call),
    streams: streamsThrough(call),
    validations: validationsThrough(call),
    datasets: datasetsThrough(call),
    audit: {
      read: async (query, signal) => (await call('audit', query, { signal })) as AuditPage,
      refused(actor, action, error) {
        if (isDenial(error)) options.send({ type: 'refused', actor, action, failure: failureOf(error) });
      },
    },
  };
  const close = async () => {
    facts.close();
    await usage.stop();
    await log?.stop();
    await store.close();
  };
  const server = await startHttpServer(parts, { host: config.http.host, port: config.http.port, tls }).catch(async (error) => {
    await close();
    throw error;
  });
  return {
    server,
    setRegistry(applied) {
      registry = applied;
      loadFacts();
    },
    setTokens(known) {
      tokens = known;
    },
    loadFacts,
    drainLog: async () => await log?.flush(),
    drainUsage: usage.flush,
    async stop() {
      await server.stop(config.http.drainSeconds * 1000);
      await close();
    },
  };
}

/** As calls have it: of what asks, no more than these two passes between threads. */
function from({ actor, signal }: Asking) {
  return { actor, signal };
}

/** Archive, sources and their engine live in the worker, and so do writes. */
function writesThrough(call: WorkerLink['call']): Writes {
  type Report = Readonly<Record<string, unknown>>;
  return {
    push: async (request, asking) => (await call('push', request, from(asking))) as Report,
    writeOnline: async (view, rows, asking) => (await call('write_online', { view, rows }, from(asking))) as Report,
    materialize: async (request, asking, onProgress) =>
      (await call('materialize', request, { ...from(asking), onProgress })) as Report,
    runSql: async (request, asking, onProgress) => (await call('run_sql', request, { ...from(asking), onProgress })) as Report,
    erase: async (request, asking) => (await call('erase', request, from(asking))) as Awaited<ReturnType<Writes['erase']>>,
    liftErasure: async (request, asking) =>
      (await call('lift_erasure', request, from(asking))) as Awaited<ReturnType<Writes['liftErasure']>>,
    listErasures: async (signal) => (await call('list_erasures', {}, { signal })) as Awaited<ReturnType<Writes['listErasures']>>,
  };
}

function actionsThrough(call: WorkerLink['call']): ServerActions {
  type Answers = { readonly [name in keyof ServerActions]: Awaited<ReturnType<ServerActions[name]>> };
  return {
    list: async (kind) => (await call('list', { kind })) as Answers['list'],
    describe: async (kind, name) => (await call('describe', { kind, name })) as Answers['describe'],
    plan: () => call('plan', {}),
    apply: (options, actor, onProgress) => call('apply', options, { actor, onProgress }),
    createToken: async (request: TokenRequest, actor) =>
      (await call('create_token', request, { actor })) as Answers['createToken'],
    listTokens: async () => (await call('list_tokens', {})) as Answers['listTokens'],
    revokeToken: async (id, actor) => (await call('revoke_token', { id }, { actor })) as Answers['revokeToken'],
  };
}

function validationsThrough(call: WorkerLink['call']): ValidationActions {
  return {
    run: (input, asking, onProgress) => call('validate', input, { ...from(asking), onProgress }),
    explain: async (request, signal) => (await call('explain', request, { signal })) as Explanation,
    listReports: async (query) => (await call('list_reports', query)) as Awaited<ReturnType<ValidationActions['listReports']>>,
    readReport: async (id, views) => (await call('read_report', { id, views })) as ReportEnvelope,
    featureHealth: async () => (await call('feature_health', {})) as FeatureHealth,
    lastChecks: async (kind) => (await call('last_checks', { kind })) as readonly LastCheck<CheckedFeature>[],
    scheduledChecks: async () => (await call('scheduled_checks', {})) as ScheduledChecks,
    viewHealth: async () => (await call('freshness', {})) as readonly ViewFreshness[],
    alerts: async () => (await call('show_alerts', {})) as ShownAlerts,
  };
}

function streamsThrough(call: WorkerLink['call']): StreamActions {
  type Report = Readonly<Record<string, unknown>>;
  return {
    list: async (source, signal) => (await call('list_streams', { source }, { signal })) as readonly Report[],
    setAside: async (source, request, signal) => (await call('set_aside', { source, ...request }, { signal })) as Report,
    reset: async (source, request, asking, onProgress) =>
      (await call('reset_source', { source, ...request }, { ...from(asking), onProgress })) as Report,
    replay: async (source, request, asking, onProgress) =>
      (await call('replay_source', { source, ...request }, { ...from(asking), onProgress })) as Report,
  };
}
