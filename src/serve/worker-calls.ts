/** What the worker does for the main thread, call by call, each of which may be aborted and may tell how far it is. */
import type { TokenRequest, Tokens } from '../access/tokens.ts';
import { FeatureStoreError } from '../errors.ts';
import type { ErasureRequest, JsonColumns, MaterializeRequest, PushRequest } from '../http/parts.ts';
import type { Erasures } from '../materialize/erase.ts';
import type { Materialize } from '../materialize/materialize.ts';
import type { Pushes } from '../materialize/push.ts';
import type { History } from '../offline/history.ts';
import type { RegistryDocument } from '../registry/document.ts';
import { describeCatalogue, listCatalogue, type NewestEvent } from './catalogue.ts';
import { describeProgress, describeReport, runMaterialize } from './materialize-action.ts';
import { type FromWorker, failureOf, type ToWorker, type WorkerCall } from './worker-messages.ts';

export interface WorkerCallParts {
  readonly history: Pick<History, 'newestEventUs'>;
  registry(): RegistryDocument;
  plan(): Promise<unknown>;
  apply(): Promise<unknown>;
  readonly tokens: Tokens;
  readonly materialize: Materialize;
  readonly pushes: Pushes;
  readonly erasures: Erasures;
}

export type WorkerCalls = Readonly<
  Record<WorkerCall, (input: never, signal: AbortSignal, onProgress: (progress: unknown) => void) => unknown>
>;

export function createWorkerCalls(parts: WorkerCallParts): WorkerCalls {
  const { history, registry, plan, apply, tokens, materialize, pushes, erasures } = parts;
  /** A source that cannot be read now has no freshness; asking for its features says why. */
  const newestEvent: NewestEvent = (source) => history.newestEventUs(source).catch(() => undefined);
  return {
    plan,
    apply,
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
    create_token: (request: TokenRequest) => tokens.create(request),
    list_tokens: () => tokens.list(),
    push: ({ source, rows, idempotencyKey, to }: PushRequest, signal) =>
      pushes.pushRows(source, rows, { idempotencyKey, to, signal }),
    write_online: ({ view, rows }: { view: string; rows: JsonColumns }, signal) => pushes.writeToOnlineStore(view, rows, signal),
    materialize: async (request: MaterializeRequest, signal, onProgress) =>
      describeReport(await runMaterialize(materialize, request, signal, (progress) => onProgress(describeProgress(progress)))),
    revoke_token: ({ id }: { id: string }) => tokens.revoke(id),
    erase: ({ entity, keys }: ErasureRequest, signal) => erasures.erase(entity, keys, signal),
    lift_erasure: ({ entity, keys }: ErasureRequest, signal) => erasures.lift(entity, keys, signal),
    list_erasures: (_: object, signal) => erasures.list(signal),
  };
}

/** Begins and aborts calls, and tells their answers. */
export function answerCalls(calls: WorkerCalls, tell: (message: FromWorker) => void) {
  const running = new Map<number, AbortController>();
  return {
    begin({ request, name, input }: Extract<ToWorker, { type: 'call' }>): void {
      const controller = new AbortController();
      running.set(request, controller);
      const work = async () =>
        await calls[name](input as never, controller.signal, (progress) => tell({ type: 'progress', request, progress }));
      work()
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
