/** The offline side as one thing that opens and closes: an engine over files, its projections, and what plans need of them. */
import type { Logger } from '../observe.ts';
import type { ColumnDocument, FeatureDocument, SourceDocument, TableDocument, ViewDocument } from '../registry/document.ts';
import { openTransform } from '../transform/open-transform.ts';
import { literalDefault, type PreparedPlan } from './answer/answer.ts';
import type { FeatureDefault } from './answer/complete.ts';
import { type FittedSteps, fitDefault } from './answer/fitted.ts';
import { type Engine, type EngineOptions, openEngine } from './duckdb/engine.ts';
import { checkFileTypes } from './duckdb/file-types.ts';
import { compileTable } from './duckdb/table.ts';
import { typeTextColumns } from './duckdb/text-columns.ts';
import { createNewestEvents } from './newest-event.ts';
import type { LookupPlan, RetrievalPlan } from './plan.ts';
import { openProjectionStore, type Projection } from './projection/store.ts';
import { createSharedWork } from './shared-work.ts';
import { readTableState } from './source-state.ts';

export interface HistoryOptions {
  /** The repository: relative paths of sources start here. */
  readonly root: string;
  /** Folder for projections. */
  readonly directory: string;
  readonly engine: EngineOptions;
  /** Most bytes of projections kept in memory. */
  readonly cacheBytes: number;
  /** Bytes that a part of a projection is to have about, which is read and kept as one; default 128 MiB. */
  readonly bucketBytes?: number;
  readonly logger: Logger;
}

export interface History {
  readonly engineVersion: string;
  /** Opens all that a plan reads; `release` must be called once when the plan has been carried out. */
  prepare(plan: RetrievalPlan, signal: AbortSignal): Promise<PreparedPlan & { release(): void }>;
  /** A view's rows at the state of its source now; `release` must be called once when they have been read. */
  openProjection(view: ViewDocument, source: SourceDocument, signal: AbortSignal): Promise<Projection>;
  /** Reads a view's source ahead of a request for it. */
  warm(view: ViewDocument, source: SourceDocument, signal: AbortSignal): Promise<void>;
  /** Removes what is kept on disk of views of other names, unless somebody reads it. */
  keepViews(names: readonly string[]): Promise<void>;
  /** Columns of a table and DuckDB's names of their types, as its files have them now. */
  describeTable(table: TableDocument, source: string): Promise<readonly ColumnDocument[]>;
  /** The greatest event timestamp of a source in microseconds, undefined where it has none. */
  newestEventUs(source: SourceDocument): Promise<bigint | undefined>;
  readonly engine: Engine;
  /** Stops what is being read, and resolves when all is closed and no draft is left. */
  close(): Promise<void>;
}

/** Opens history. */
export async function openHistory(options: HistoryOptions): Promise<History> {
  const engine = await openEngine(options.engine);
  const { root } = options;
  const store = await openProjectionStore(engine, options);
  const fits = createSharedWork<FittedSteps>(1000);

  /** Numbers of past days do not change while definition and source state stay: computed once, kept (5.4). */
  function fittedSteps(
    projection: Projection,
    lookup: LookupPlan,
    feature: FeatureDocument,
    signal: AbortSignal,
  ): Promise<FittedSteps> {
    const key = [projection.id, feature.hash, JSON.stringify(feature.default), lookup.delayUs, lookup.asKnown].join(' ');
    const kind = (feature.default as { fitted: 'mean' | 'median' | 'mode' }).fitted;
    const index = lookup.view.features.indexOf(feature);
    return fits.run(key, signal, (shared) => fitDefault(projection, index, kind, lookup, shared));
  }

  async function prepare(plan: RetrievalPlan, signal: AbortSignal) {
    const opened = await Promise.allSettled(plan.lookups.map((lookup) => store.open(lookup.view, lookup.source, signal)));
    const projections = opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    const release = () => {
      for (const projection of projections) projection.release();
    };
    try {
      for (const result of opened) if (result.status === 'rejected') throw result.reason;
      const defaults: (FeatureDefault | undefined)[] = [];
      for (const { lookup, feature } of plan.features) {
        const fallback = feature.default;
        if (fallback === undefined) defaults.push(undefined);
        else if ('literal' in fallback) defaults.push(literalDefault(feature, fallback.literal));
        else {
          const projection = projections[lookup] as Projection;
          defaults.push({ fitted: await fittedSteps(projection, plan.lookups[lookup] as LookupPlan, feature, signal) });
        }
      }
      const transforms = plan.transforms.map(({ view }) => openTransform(view));
      return { plan, projections, defaults, transforms, signal, release };
    } catch (error) {
      release();
      throw error;
    }
  }

  return {
    engineVersion: engine.version,
    engine,
    prepare,
    openProjection: (view, source, signal) => store.open(view, source, signal),
    async warm(view, source, signal) {
      const projection = await store.open(view, source, signal, 'ahead');
      try {
        if (projection.buckets === 1) await projection.bucket(0);
      } finally {
        projection.release();
      }
    },
    keepViews: store.keepViews,
    async describeTable(table, source) {
      const state = await readTableState(engine, table, root, source);
      const files = state.files.map((file) => file.absolutePath);
      return await engine.session(undefined, async (session) => {
        const columns = await session.describe(`select * from ${compileTable(table, files)}`);
        const documents = columns.map(({ name, type }) => ({ name, type: String(type) }));
        await checkFileTypes(session, table, state, documents, source);
        return await typeTextColumns(session, table, files, documents);
      });
    },
    newestEventUs: createNewestEvents(engine, root),
    async close() {
      await store.close();
      engine.close();
    },
  };
}
