/** The offline side as one thing that opens and closes: an engine over files, its projections, and what plans need of them. */

import { parseDurationUs } from '../definitions/duration.ts';
import type { LiteralValue } from '../definitions/literal.ts';
import { parseValueType } from '../definitions/value-type.ts';
import type { Logger } from '../observe.ts';
import type { ColumnDocument, FeatureDocument, SourceDocument, TableDocument, ViewDocument } from '../registry/document.ts';
import { openTransform } from '../transform/open-transform.ts';
import { literalDefault, type PreparedDefault, type PreparedPlan } from './answer/answer.ts';
import { type FittedSteps, fitDefault, stepAt } from './answer/fitted.ts';
import { type Archive, type ArchiveState, openArchive } from './archive/archive.ts';
import type { ReadErasedRows } from './archive/erased.ts';
import { readAgain } from './archive/read-again.ts';
import { readArchivedRows } from './archive/rows.ts';
import { type Engine, type EngineOptions, openEngine } from './duckdb/engine.ts';
import { checkFileTypes } from './duckdb/file-types.ts';
import { quoteText } from './duckdb/sql.ts';
import { compileTable, compileWholeTable } from './duckdb/table.ts';
import { typeTextColumns } from './duckdb/text-columns.ts';
import type { LatestRow } from './latest.ts';
import { literalReader } from './literal-column.ts';
import { createNewestEvents } from './newest-event.ts';
import type { LookupPlan, RetrievalPlan } from './plan.ts';
import { openProjectionStore, type Projection, type ProjectionStore } from './projection/store.ts';
import { createSharedWork } from './shared-work.ts';
import { readTableState, type TableState } from './source-state.ts';
import { eventViewOf } from './windows/event-view.ts';
import { type DayValues, fitWindows } from './windows/fit-windows.ts';

export interface HistoryOptions {
  /** The repository: relative paths of sources start here. */
  readonly root: string;
  /** Folder for projections. */
  readonly directory: string;
  /** Folder of the archives of what was pushed; without it nothing can be. */
  readonly archiveDirectory?: string;
  /** Which rows of an archive are erased; default: none. */
  readonly readErased?: ReadErasedRows;
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
  /** The state of a source's files now, those of its archive included; NOT_FOUND where there is none. */
  readState(source: SourceDocument): Promise<TableState>;
  /** What was pushed to sources; undefined without a folder for it. */
  readonly archive: Archive | undefined;
  /** The rows of one file of an archive as a view sees them. */
  readArchived(view: ViewDocument, source: SourceDocument, file: string, signal?: AbortSignal): Promise<LatestRow[]>;
  /** A fitted default on a day (days since 1970, UTC); undefined where no row had a value by then. */
  fittedDefault(
    view: ViewDocument,
    source: SourceDocument,
    feature: FeatureDocument,
    day: number,
    signal: AbortSignal,
  ): Promise<LiteralValue | undefined>;
  /** Reads a view's source ahead of a request for it. */
  warm(view: ViewDocument, source: SourceDocument, signal: AbortSignal): Promise<void>;
  /** Removes what is kept on disk of views of other names, unless somebody reads it. */
  keepViews(names: readonly string[]): Promise<void>;
  /** Removes what is kept of views, of what is being read as soon as that ends: the next request reads the source again. */
  discardViews(names: readonly string[]): Promise<void>;
  /** Columns of a table and DuckDB's names of their types, as its files have them now. */
  describeTable(table: TableDocument, source: string): Promise<readonly ColumnDocument[]>;
  /** The syntax tree of an expression, as DuckDB's `json_serialize_sql` writes it. */
  parseExpression(text: string): Promise<string>;
  /** The greatest event timestamp of a source in microseconds, undefined where it has none. */
  newestEventUs(source: SourceDocument): Promise<bigint | undefined>;
  readonly engine: Engine;
  /** Stops what is being read, and resolves when all is closed and no draft is left. */
  close(): Promise<void>;
}

const nothingPushed: ArchiveState = { files: [], erased: undefined };

/** Opens history. */
export async function openHistory(options: HistoryOptions): Promise<History> {
  const engine = await openEngine(options.engine);
  const { root, archiveDirectory, readErased, logger } = options;
  const archive = archiveDirectory === undefined ? undefined : openArchive({ directory: archiveDirectory, readErased, logger });
  const lookAt = async (source: SourceDocument): Promise<ArchiveState> =>
    (source.push === true ? await archive?.state(source) : undefined) ?? nothingPushed;
  const stateOf = async (source: SourceDocument) =>
    await readTableState(engine, source.table, root, source.name, await lookAt(source));
  const again = <T>(source: SourceDocument, read: () => Promise<T>) => readAgain(() => lookAt(source), read);
  const readState = (source: SourceDocument) => again(source, () => stateOf(source));
  const store = await openProjectionStore(engine, { ...options, readState: stateOf });
  const open: ProjectionStore['open'] = (view, source, signal, ahead) =>
    again(source, () => store.open(view.kind === 'stream' ? eventViewOf(view).view : view, source, signal, ahead));
  const newestEvents = createNewestEvents(engine, stateOf);
  const fits = createSharedWork<FittedSteps>(1000);
  const dayValues = new Map<string, DayValues>();

  /** Numbers of past days do not change while definition and source state stay: computed once, kept (5.4). */
  function fittedSteps(
    projection: Projection,
    lookup: Pick<LookupPlan, 'view' | 'delayUs' | 'asKnown'>,
    feature: FeatureDocument,
    signal: AbortSignal,
  ): Promise<FittedSteps> {
    const key = [projection.id, feature.hash, JSON.stringify(feature.default), lookup.delayUs, lookup.asKnown].join(' ');
    const kind = (feature.default as { fitted: 'mean' | 'median' | 'mode' }).fitted;
    const index = lookup.view.features.indexOf(feature);
    return fits.run(key, signal, (shared) => fitDefault(projection, index, kind, lookup, shared));
  }

  function fitDays(
    projection: Projection,
    lookup: LookupPlan,
    feature: FeatureDocument,
    days: readonly number[],
    signal: AbortSignal,
  ): Promise<FittedSteps> {
    const key = [projection.id, feature.hash, JSON.stringify(feature.default), lookup.delayUs].join(' ');
    const values = dayValues.get(key) ?? new Map();
    if (dayValues.size >= 1000) dayValues.clear();
    dayValues.set(key, values);
    return fitWindows(projection, lookup, feature, days, values, signal);
  }

  async function describeArchive(state: TableState): Promise<readonly ColumnDocument[]> {
    const sql = `select * from ${compileWholeTable({ format: 'parquet', paths: [], hivePartitioning: false, options: {} }, state)}`;
    const columns = await engine.session(undefined, (session) => session.describe(sql));
    return columns.map(({ name, type }) => ({ name, type: String(type) }));
  }

  /** A table of its own has no say of what was pushed, but where there is nothing else that says what its columns are. */
  async function describeTable(table: TableDocument, source: string, pushed: ArchiveState): Promise<readonly ColumnDocument[]> {
    const state = await readTableState(engine, table, root, source, pushed);
    const files = state.files.map((file) => file.absolutePath);
    if (files.length === 0) return await describeArchive(state);
    return await engine.session(undefined, async (session) => {
      const columns = await session.describe(`select * from ${compileTable(table, files)}`);
      const documents = columns.map(({ name, type }) => ({ name, type: String(type) }));
      await checkFileTypes(session, table, state, documents, source);
      return await typeTextColumns(session, table, files, documents);
    });
  }

  async function prepare(plan: RetrievalPlan, signal: AbortSignal) {
    const opened = await Promise.allSettled(plan.lookups.map((lookup) => open(lookup.view, lookup.source, signal)));
    const projections = opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    const release = () => {
      for (const projection of projections) projection.release();
    };
    try {
      for (const result of opened) if (result.status === 'rejected') throw result.reason;
      const defaults: (PreparedDefault | undefined)[] = [];
      for (const { lookup, feature } of plan.features) {
        const fallback = feature.default;
        if (fallback === undefined) defaults.push(undefined);
        else if ('literal' in fallback) defaults.push(literalDefault(feature, fallback.literal));
        else {
          const projection = projections[lookup] as Projection;
          const planned = plan.lookups[lookup] as LookupPlan;
          if (planned.view.kind === 'stream')
            defaults.push({ fitDays: (days) => fitDays(projection, planned, feature, days, signal) });
          else defaults.push({ fitted: await fittedSteps(projection, planned, feature, signal) });
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
    openProjection: open,
    readState,
    archive,
    readArchived: (view, source, file, signal) => readArchivedRows(engine, view, source, file, signal),
    async fittedDefault(view, source, feature, day, signal) {
      const projection = await open(view, source, signal);
      try {
        const asKnown = view.asKnown && source.createdTimestamp !== undefined;
        const delayUs = view.delay === undefined ? 0n : parseDurationUs(view.delay);
        const steps = await fittedSteps(projection, { view, delayUs, asKnown }, feature, signal);
        const at = stepAt(steps, day);
        return at < 0 ? undefined : literalReader(steps.values, parseValueType(feature.type))(at);
      } finally {
        projection.release();
      }
    },
    async warm(view, source, signal) {
      const projection = await open(view, source, signal, 'ahead');
      try {
        if (projection.buckets === 1) await projection.bucket(0);
      } finally {
        projection.release();
      }
    },
    keepViews: store.keepViews,
    discardViews: store.discardViews,
    async describeTable(table, source) {
      const look = async () => ({ files: (await archive?.files(source)) ?? [], erased: undefined });
      return await readAgain(look, async () => describeTable(table, source, await look()));
    },
    async parseExpression(text) {
      const sql = `select cast(json_serialize_sql(${quoteText(`select ${text}`)}) as varchar) as tree`;
      const [row] = await engine.session(undefined, (session) => session.rows(sql));
      return (row as { tree: string }).tree;
    },
    newestEventUs: (source) => again(source, () => newestEvents(source)),
    async close() {
      await archive?.close();
      await store.close();
      engine.close();
    },
  };
}
