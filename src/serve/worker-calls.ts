/** What the worker does for the main thread, call by call, each of which may be aborted and may tell how far it is. */
import type { TokenRequest } from '../access/tokens.ts';
import { type Actor, localActor, traceIdOf } from '../audit/actor.ts';
import type { Audit } from '../audit/audit.ts';
import type { AuditQuery } from '../audit/query.ts';
import { FeatureStoreError } from '../errors.ts';
import type { ErasureRequest, JsonColumns, MaterializeRequest, PushRequest } from '../http/parts.ts';
import type { ReplayRequest, ResetRequest, SetAsideRequest } from '../http/stream-requests.ts';
import type { Tracer } from '../observe.ts';
import type { History } from '../offline/history.ts';
import type { OnlineRequest } from '../online/retrieve/answer.ts';
import type { RegistryDocument } from '../registry/document.ts';
import type { JudgingKind } from '../validate/last-checks.ts';
import type { LogBatch } from '../validate/log/log-rows.ts';
import type { LogShape } from '../validate/log/shape.ts';
import type { ScheduledChecks } from '../validate/missed-checks.ts';
import type { ActsOf, UnchangingParts } from './acts/acts.ts';
import type { RunningAlerts } from './alerts.ts';
import { describeCatalogue, listCatalogue, sourceFactsOf } from './catalogue.ts';
import { answerDatasetCalls } from './dataset-calls.ts';
import type { ApplyOptions } from './definitions.ts';
import type { RunningHealth } from './feature-health.ts';
import type { Freshness } from './freshness.ts';
import type { WorkerLog } from './log-files.ts';
import { tellMaterialize } from './materialize-action.ts';
import { type RunSqlInput, runSql } from './run-sql-action.ts';
import type { SeenQuery } from './seen-reports.ts';
import type { UsageFacts } from './usage.ts';
import type { Validations } from './validations.ts';
import { type FromWorker, failureOf, type ToWorker, type WorkerCall } from './worker-messages.ts';

/** What changes something is reached through `acts` alone. */
export interface WorkerCallParts extends UnchangingParts {
  readonly acts: ActsOf;
  readonly audit: Pick<Audit, 'read' | 'counts'>;
  readonly history: Pick<History, 'newestEventUs' | 'ticks'>;
  registry(): RegistryDocument;
  readonly validations: Validations;
  scheduledChecks(): ScheduledChecks;
  readonly health: Pick<RunningHealth, 'latest'>;
  readonly freshness: Freshness;
  readonly alerts: Pick<RunningAlerts, 'facts' | 'show'>;
  readonly featureLog: Pick<WorkerLog, 'append' | 'counts'>;
  readonly usage: UsageFacts;
}

export type WorkerCalls = Readonly<
  Record<WorkerCall, (input: never, signal: AbortSignal, onProgress: (progress: unknown) => void, actor: Actor) => unknown>
>;

export function createWorkerCalls(parts: WorkerCallParts): WorkerCalls {
  const { history, registry, acts, tokens, erasures, streamActions, validations, featureLog } = parts;
  const newestEvent = sourceFactsOf(history, streamActions, parts.usage, parts.freshness);
  return {
    plan: () => parts.definitions.plan(),
    apply: (options: ApplyOptions, _signal, onProgress, actor) => acts(actor).definitions.apply(onProgress, options),
    list: ({ kind }: { kind: string }) => listCatalogue(registry(), kind, newestEvent),
    describe: ({ kind, name }: { kind: string; name: string }) => describeCatalogue(registry(), kind, name, newestEvent),
    newest_events: async () => {
      const { views, sources } = registry();
      const found = await Promise.all(
        views.map(async (view) => {
          const source = sources.find((candidate) => candidate.name === view.source);
          return [view.name, source === undefined ? undefined : await newestEvent(source)] as const;
        }),
      );
      return Object.fromEntries(found);
    },
    create_token: (request: TokenRequest, _signal, _onProgress, actor) => acts(actor).tokens.create(request),
    list_tokens: () => tokens.list(),
    push: ({ source, rows, idempotencyKey, to }: PushRequest, signal, _onProgress, actor) =>
      acts(actor).pushes.pushRows(source, rows, { idempotencyKey, to, signal }),
    write_online: ({ view, rows }: { view: string; rows: JsonColumns }, signal, _onProgress, actor) =>
      acts(actor).pushes.writeToOnlineStore(view, rows, signal),
    materialize: (request: MaterializeRequest, signal, onProgress, actor) =>
      tellMaterialize(acts(actor).materialize, request, signal, onProgress),
    run_sql: (request: RunSqlInput, signal, onProgress, actor) => runSql(acts(actor).runTicks, request, signal, onProgress),
    revoke_token: ({ id }: { id: string }, _signal, _onProgress, actor) => acts(actor).tokens.revoke(id),
    erase: ({ entity, keys }: ErasureRequest, signal, _onProgress, actor) => acts(actor).erasures.erase(entity, keys, signal),
    lift_erasure: ({ entity, keys }: ErasureRequest, signal, _onProgress, actor) =>
      acts(actor).erasures.lift(entity, keys, signal),
    list_erasures: (_: object, signal) => erasures.list(signal),
    list_streams: ({ source }: { source?: string }, signal) => streamActions.list(source, signal),
    set_aside: ({ source, ...request }: SetAsideRequest & { source: string }) => streamActions.setAside(source, request),
    reset_source: ({ source, ...request }: ResetRequest & { source: string }, signal, onProgress, actor) =>
      acts(actor).streamActions.reset(source, request, signal, onProgress),
    replay_source: ({ source, ...request }: ReplayRequest & { source: string }, signal, onProgress, actor) =>
      acts(actor).streamActions.replay(source, request, signal, onProgress),
    validate: (input: object, signal, onProgress, { token }) => validations.run(input, signal, onProgress, token),
    explain: (request: OnlineRequest, signal) => validations.explain(request, signal),
    list_reports: (query: SeenQuery) => validations.seenReports.list(query),
    read_report: ({ id, views }: { id: string; views?: readonly string[] }) => validations.seenReports.read(id, views),
    last_checks: ({ kind }: { kind: JudgingKind }) => validations.lastChecks(kind),
    scheduled_checks: async () => parts.scheduledChecks(),
    feature_health: async () => parts.health.latest(),
    freshness: () => parts.freshness.read(),
    alerts: async () => parts.alerts.facts(),
    show_alerts: async () => parts.alerts.show(),
    audit: (query: AuditQuery) => parts.audit.read(query),
    audit_counts: async () => parts.audit.counts(),
    append_log: ({ shape, batch }: { shape: LogShape; batch: LogBatch }) => featureLog.append(shape, batch),
    log_counts: () => featureLog.counts(),
    ...answerDatasetCalls(parts.datasets, acts),
  };
}

/** Begins and aborts calls, and tells their answers. */
export function answerCalls(calls: WorkerCalls, tell: (message: FromWorker) => void, tracer: Tracer | undefined) {
  const running = new Map<number, AbortController>();
  return {
    begin({ request, name, input, actor, trace }: Extract<ToWorker, { type: 'call' }>): void {
      const controller = new AbortController();
      running.set(request, controller);
      const who = actor === undefined ? localActor() : { ...actor, traceId: actor.traceId ?? traceIdOf(trace?.traceparent) };
      const work = async () =>
        await calls[name](input as never, controller.signal, (progress) => tell({ type: 'progress', request, progress }), who);
      const traced =
        tracer === undefined || trace === undefined
          ? work()
          : tracer.span(`worker ${name}`, { parent: trace, attributes: {} }, work);
      traced
        .then(
          (result) => tell({ type: 'answered', request, answer: { ok: true, result } }),
          (error: unknown) => tell({ type: 'answered', request, answer: failureOf(error) }),
        )
        .finally(() => running.delete(request));
    },
    abort(request: number): void {
      running.get(request)?.abort(new FeatureStoreError('ABORTED', 'the caller went away'));
    },
  };
}
