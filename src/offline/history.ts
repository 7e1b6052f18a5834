/** The offline side as one thing that opens and closes: an engine over files, its projections, and what plans need of them. */

import { parseDurationUs } from '../definitions/duration.ts';
import type { LiteralValue } from '../definitions/literal.ts';
import { parseValueType } from '../definitions/value-type.ts';
import type { Logger } from '../observe.ts';
import type { DescribedQuery } from '../registry/bind/sql-source.ts';
import type { ColumnDocument, FeatureDocument, SourceDocument, TableDocument, ViewDocument } from '../registry/document.ts';
import { eventViewOf } from '../registry/event-view.ts';
import { openTransform } from '../transform/open-transform.ts';
import { literalDefault, type PreparedDefault, type PreparedPlan } from './answer/answer.ts';
import { type FittedSteps, fitDefault, stepAt } from './answer/fitted.ts';
import { type Archive, type ArchiveState, openArchive } from './archive/archive.ts';
import type { ReadErasedRows } from './archive/erased.ts';
import { readAgain } from './archive/read-again.ts';
import { readArchivedRows } from './archive/rows.ts';
import { type KeyContributions, readContributions } from './contributions.ts';
import { describeTable } from './describe-table.ts';
import { type Engine, type EngineOptions, openEngine } from './duckdb/engine.ts';
import { quoteText } from './duckdb/sql.ts';
import { createEventBounds } from './event-bounds.ts';
import type { EventColumns } from './events/event-columns.ts';
import { findTableIds } from './events/find-table-ids.ts';
import { createEventReader, type ReadEvents } from './events/read-events.ts';
import { type ScanOptions, scanEvents } from './events/scan-events.ts';
import type { LatestRow } from './latest.ts';
import { literalReader } from './literal-column.ts';
import type { LookupPlan, RetrievalPlan } from './plan.ts';
import { openProjectionStore, type Projection, type ProjectionStore } from './projection/store.ts';
import { sampleKeys } from './sample-keys.ts';
import { createSharedWork } from './shared-work.ts';
import { readSourceState, type TableState } from './source-state.ts';
import { composeStatement, emptyRelation, tickValue } from './ticks/compose-statement.ts';
import { openTicks, type Ticks, type TicksOptions } from './ticks/ticks.ts';
import { type DayValues, fitWindows } from './windows/fit-windows.ts';

export interface HistoryOptions {
  /** The repository: relative paths of sources start here. */
  readonly root: string;
  /** Folder for projections. */
  readonly directory: string;
  /** Folder of the archives of what was pushed; without it nothing can be. */
  readonly archiveDirectory?: string;
  /** Folder of the results of SQL sources; without it there are none. */
  readonly ticksDirectory?: string;
  /** A folder like `ticksDirectory` that is read and never written: a tick that has run there counts. */
  readonly knownTicksDirectory?: string;
  /** Ticks with files of their own that are merged when there are so many; default 64. */
  readonly mergeTicksAt?: number;
  /** Which rows of an archive, or of results, are erased; default: none. */
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
  /** Runs of SQL sources; undefined without a folder for their results. */
  readonly ticks: Ticks | undefined;
  /** The rows of one file of an archive as a view sees them. */
  readArchived(view: ViewDocument, source: SourceDocument, file: string, signal?: AbortSignal): Promise<LatestRow[]>;
  /** What one staged file of events says for a stream view, in the file's order. */
  readEvents(view: ViewDocument, source: SourceDocument, file: string, signal: AbortSignal): Promise<ReadEvents>;
  /** All past events of a stream view that are valid and have a key, sorted by key, time and value. */
  scanEvents(
    view: ViewDocument,
    source: SourceDocument,
    options: ScanOptions,
    signal: AbortSignal,
  ): AsyncGenerator<EventColumns, void>;
  /** What answers about some keys are made of, with where it came from, in the order of the keys: no part of one is null. */
  contributions(
    view: ViewDocument,
    source: SourceDocument,
    keys: readonly (readonly LiteralValue[])[],
    signal: AbortSignal,
  ): Promise<KeyContributions[]>;
  /** At most so many keys of a view, by join key: those with the least hash of all that its source has. */
  sampleKeys(
    view: ViewDocument,
    source: SourceDocument,
    most: number,
    signal: AbortSignal,
  ): Promise<readonly (readonly LiteralValue[])[]>;
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
  /** The same of a statement. */
  parseStatement(sql: string): Promise<string>;
  /** The columns that a statement gives over inputs of the right types. */
  describeStatement(query: DescribedQuery): Promise<readonly ColumnDocument[]>;
  /** The places of ids of events that stand in the tables of an event source's history, what its archive holds left out. */
  findTableIds(source: SourceDocument, ids: readonly LiteralValue[], signal: AbortSignal): Promise<ReadonlySet<number>>;
  /** The greatest event timestamp in the tables of an event source's history, undefined where they hold none. */
  newestTableEventUs(source: SourceDocument): Promise<bigint | undefined>;
  /** The greatest event timestamp of a source in microseconds, undefined where it has none. */
  newestEventUs(source: SourceDocument): Promise<bigint | undefined>;
  /** The least, likewise. */
  oldestEventUs(source: SourceDocument): Promise<bigint | undefined>;
  readonly engine: Engine;
  /** Stops what is being read, and resolves when all is closed and no draft is left. */
  close(): Promise<void>;
}

const nothingPushed: ArchiveState = { files: [], erased: undefined };

/** Whether what comes by push or stream is part of the source's history. */
function isArchived({ kind, push, archive }: SourceDocument): boolean {
  return kind === 'event' ? archive !== false : push === true;
}

/** Opens history. */
export async function openHistory(options: HistoryOptions): Promise<History> {
  const engine = await openEngine(options.engine);
  const { root, archiveDirectory, ticksDirectory, readErased, logger } = options;
  const archive = archiveDirectory === undefined ? undefined : openArchive({ directory: archiveDirectory, readErased, logger });
  const lookAt = async (source: SourceDocument): Promise<ArchiveState> =>
    (await (source.kind === 'sql' ? ticks?.state(source) : isArchived(source) ? archive?.state(source) : undefined)) ??
    nothingPushed;
  const stateOf = async (source: SourceDocument) => await readSourceState(engine, source, root, await lookAt(source));
  const again = <T>(source: SourceDocument, read: () => Promise<T>) => readAgain(() => lookAt(source), read);
  const readState = (source: SourceDocument) => again(source, () => stateOf(source));
  const withState: TicksOptions['withState'] = (source, read) => again(source, async () => await read(await stateOf(source)));
  const ticks =
    ticksDirectory === undefined
      ? undefined
      : openTicks(engine, {
          ...{ directory: ticksDirectory, knownDirectory: options.knownTicksDirectory, mergeAt: options.mergeTicksAt },
          ...{ readErased, withState, logger },
        });
  const store = await openProjectionStore(engine, { ...options, readState: stateOf });
  const open: ProjectionStore['open'] = (view, source, signal, ahead) =>
    again(source, () => store.open(view.kind === 'stream' ? eventViewOf(view).view : view, source, signal, ahead));
  const eventReader = createEventReader(engine);
  const eventBounds = createEventBounds(engine, stateOf);
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

  async function parse(statement: string): Promise<string> {
    const sql = `select cast(json_serialize_sql(${quoteText(statement)}) as varchar) as tree`;
    const [row] = await engine.session(undefined, (session) => session.rows(sql));
    return (row as { tree: string }).tree;
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
    ticks,
    readArchived: (view, source, file, signal) => readArchivedRows(engine, view, source, file, signal),
    readEvents: (view, source, file, signal) => eventReader.read(view, source, file, signal),
    scanEvents: (view, source, options, signal) => scanEvents({ engine, stateOf, again }, view, source, options, signal),
    contributions: (view, source, keys, signal) => readContributions({ engine, stateOf, again }, view, source, keys, signal),
    sampleKeys: (view, source, most, signal) => sampleKeys({ engine, stateOf, again }, view, source, most, signal),
    async fittedDefault(view, source, feature, day, signal) {
      const projection = await open(view, source, signal);
      try {
        const asKnown = view.asKnown && source.createdTimestamp !== undefined;
        const delayUs = view.delay === undefined ? 0n : parseDurationUs(view.delay);
        if (view.kind === 'stream') {
          const values: DayValues = new Map();
          await fitWindows(projection, { view, delayUs }, feature, [day], values, signal);
          return values.get(day);
        }
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
      return await readAgain(look, async () => await describeTable(engine, root, table, source, await look()));
    },
    parseExpression: (text) => parse(`select ${text}`),
    parseStatement: parse,
    async describeStatement(query) {
      const sql = composeStatement(query.sql, query.inputs.map(emptyRelation));
      const columns = await engine.session(undefined, (session) => session.describe(sql, tickValue(query, 0n)));
      return columns.map(({ name, type }) => ({ name, type: String(type) }));
    },
    findTableIds: (source, ids, signal) => findTableIds({ engine, stateOf }, source, ids, signal),
    newestTableEventUs: async (source) => (await eventBounds({ ...source, archive: false }))?.newestUs,
    newestEventUs: (source) => again(source, async () => (await eventBounds(source))?.newestUs),
    oldestEventUs: (source) => again(source, async () => (await eventBounds(source))?.oldestUs),
    async close() {
      await archive?.close();
      await eventReader.close();
      await store.close();
      engine.close();
    },
  };
}
