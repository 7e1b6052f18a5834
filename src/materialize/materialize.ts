/** Materialization of some or all views: those with the same join keys together. */
import { asFeatureStoreError, FeatureStoreError } from '../errors.ts';
import type { Logger } from '../observe.ts';
import type { History } from '../offline/history.ts';
import type { OnlineStore } from '../online/store.ts';
import type { RegistryDocument, ViewDocument } from '../registry/document.ts';
import { batchViewsOf, findView } from '../registry/references.ts';
import { materializeViews } from './materialize-views.ts';
import type { RunTicks } from './run-ticks.ts';
import type { ViewProgress } from './view-run.ts';

export interface MaterializeParts {
  readonly history: Pick<History, 'openProjection'>;
  readonly store: OnlineStore;
  /** The definitions that are applied now. */
  registry(): RegistryDocument;
  readonly logger: Logger;
  /** Runs the ticks of SQL sources that are due before their views are written; without it what has run is written. */
  readonly runTicks?: RunTicks;
  /** Ends every run when it aborts. */
  readonly stopping?: AbortSignal;
  /** Microseconds since the epoch; default: the machine's clock. */
  nowUs?(): bigint;
}

export interface MaterializeRequest {
  /** All views where absent or null. */
  readonly views?: readonly string[] | null;
  /** A range run: only rows that happened in it, inclusive, all of them sent; otherwise an incremental one. */
  readonly startUs?: bigint;
  /** Default: now. */
  readonly endUs?: bigint;
}

export interface MaterializeOptions {
  readonly signal?: AbortSignal;
  /** Called with the counts of each view at work, after each batch and at its end. */
  onProgress?(progress: ViewProgress): void;
}

export interface MaterializeReport {
  readonly startUs: bigint | undefined;
  readonly endUs: bigint;
  readonly views: readonly ViewProgress[];
  readonly seconds: number;
}

export type Materialize = (request: MaterializeRequest, options?: MaterializeOptions) => Promise<MaterializeReport>;

/** How often views are begun anew where its source, or the store's content, changed under them. */
const attempts = 5;

/** Makes the function that materializes: it goes on with the other views where one fails, and then fails with the first failure. */
export function createMaterialize(parts: MaterializeParts): Materialize {
  const now = parts.nowUs ?? (() => BigInt(Date.now()) * 1000n);
  return async ({ views, startUs, endUs }, { signal: given, onProgress } = {}) => {
    const signal = AbortSignal.any([given, parts.stopping].filter((one) => one !== undefined));
    const registry = parts.registry();
    const chosen = chooseViews(registry, views);
    const end = endUs ?? now();
    if (startUs !== undefined && startUs > end) {
      throw new FeatureStoreError('INVALID_ARGUMENT', 'the start of the range to materialize is after its end; exchange them', {
        details: { startUs: String(startUs), endUs: String(end) },
      });
    }
    const started = performance.now();
    const done = new Map<ViewDocument, ViewProgress>();
    const failures: unknown[] = [];
    const materializeGroup = async (group: readonly ViewDocument[]): Promise<void> => {
      signal.throwIfAborted();
      try {
        const common = { history: parts.history, store: parts.store, registry, onProgress };
        const begin = () => materializeViews({ ...common, startUs, endUs: end, nowUs: now() }, group, signal);
        for (const [at, progress] of (await repeat(begin, signal)).entries()) {
          done.set(group[at] as ViewDocument, progress);
          parts.logger.info({ ...progress }, 'feature view materialized');
        }
      } catch (error) {
        signal.throwIfAborted();
        // Each by itself: whatever was in the way of one shall not be in that of the others.
        if (group.length > 1) {
          const views = group.map(({ name }) => name);
          parts.logger.warn(
            { views, error: String(error) },
            'feature views could not be materialized together; each is tried alone',
          );
          for (const view of group) await materializeGroup([view]);
        } else {
          failures.push(error);
          parts.logger.warn({ view: group[0]?.name, error: String(error) }, 'feature view could not be materialized');
        }
      }
    };
    const ready = await runTicks(parts, registry, chosen, { startUs, endUs: end }, signal, failures);
    for (const group of groupByKeys(ready)) await materializeGroup(group);
    const finished = chosen.flatMap((view) => done.get(view) ?? []);
    if (failures.length > 0) throw withDone(failures, finished);
    return { startUs, endUs: end, views: finished, seconds: (performance.now() - started) / 1000 };
  };
}

function chooseViews(registry: RegistryDocument, names: readonly string[] | null | undefined): readonly ViewDocument[] {
  if (names == null) return batchViewsOf(registry);
  return [...new Set(names)].map((name) => {
    const view = findView(registry, name);
    if (view.kind === 'batch') return view;
    throw new FeatureStoreError(
      'INVALID_ARGUMENT',
      `feature view "${name}" ${view.kind === 'stream' ? 'is computed from events' : 'is computed on demand'}: it has nothing to materialize`,
      { details: { view: name } },
    );
  });
}

/** The views whose sources are up to date; why those of an SQL source are not is added to the failures. */
async function runTicks(
  { runTicks, logger }: MaterializeParts,
  registry: RegistryDocument,
  views: readonly ViewDocument[],
  range: { readonly startUs: bigint | undefined; readonly endUs: bigint },
  signal: AbortSignal,
  failures: unknown[],
): Promise<readonly ViewDocument[]> {
  const names = new Set(views.map((view) => view.source));
  const behind = new Set<string>();
  for (const { name, query } of registry.sources) {
    if (runTicks === undefined || query === undefined || !names.has(name)) continue;
    try {
      await runTicks({ source: name, ...range }, { signal });
    } catch (error) {
      signal.throwIfAborted();
      behind.add(name);
      failures.push(error);
      logger.warn({ source: name, error: String(error) }, 'ticks of an SQL source could not be run; its views wait');
    }
  }
  return views.filter((view) => !behind.has(view.source));
}

function groupByKeys(views: readonly ViewDocument[]): ViewDocument[][] {
  const groups = new Map<string, ViewDocument[]>();
  for (const view of views) {
    const keys = JSON.stringify(view.keys.map(({ name, type }) => [name, type]));
    const group = groups.get(keys);
    if (group === undefined) groups.set(keys, [view]);
    else group.push(view);
  }
  return [...groups.values()];
}

async function repeat<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const { code, details } = asFeatureStoreError(error);
      if (code !== 'ABORTED' || details.reason === 'busy' || attempt === attempts || signal.aborted) throw error;
    }
  }
}

/** The first failure, with the names of the views that came through. */
function withDone(failures: readonly unknown[], done: readonly ViewProgress[]): FeatureStoreError {
  const { code, message, details } = asFeatureStoreError(failures[0]);
  const more = failures.length === 1 ? '' : ` (and ${failures.length - 1} more views failed)`;
  const materialized = done.map(({ view }) => view);
  return new FeatureStoreError(code, `${message}${more}`, { details: { ...details, materialized }, cause: failures[0] });
}
