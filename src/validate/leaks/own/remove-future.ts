/**
 * Sources as they were at an instant: copies without any row that was not visible by then, read by an engine of their own. What is
 * removed is decided in SQL over the tables, apart from the look-up whose answers are held against it.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseDurationUs } from '../../../definitions/duration.ts';
import { silentLogger } from '../../../observe.ts';
import { declaredColumns } from '../../../offline/archive/archived-columns.ts';
import type { Session } from '../../../offline/duckdb/engine.ts';
import { compileInstantUs } from '../../../offline/duckdb/instant.ts';
import { quoteName, quoteText } from '../../../offline/duckdb/sql.ts';
import { bindEventParts } from '../../../offline/events/event-parts.ts';
import { type History, openHistory } from '../../../offline/history.ts';
import type { LookupPlan } from '../../../offline/plan.ts';
import { bindProjection } from '../../../offline/projection/bind.ts';
import { compileAllEvents } from '../../../offline/windows/compile-events.ts';
import type { RegistryDocument, SourceDocument, TableDocument, ViewDocument } from '../../../registry/document.ts';

export interface Past {
  /** The same definitions, over what was visible. */
  readonly registry: RegistryDocument;
  readonly history: Pick<History, 'prepare'>;
  /** Removes the copies. */
  close(): Promise<void>;
}

/** Copies what look-ups read of their sources, without its future, into a folder under `directory` that is named by this process. */
export async function removeFuture(
  history: Pick<History, 'engine' | 'readState'>,
  registry: RegistryDocument,
  lookups: readonly LookupPlan[],
  cutUs: bigint,
  directory: string,
  signal: AbortSignal,
): Promise<Past> {
  await mkdir(directory, { recursive: true });
  const folder = await mkdtemp(join(directory, `${process.pid}-`));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const views = new Map<ViewDocument, SourceDocument>();
    for (const lookup of lookups) {
      if (!views.has(lookup.view)) views.set(lookup.view, await copySource(history, lookup, cutUs, folder, signal));
    }
    const past: RegistryDocument = {
      ...registry,
      sources: [...views.values()],
      views: registry.views.map((view) => (views.has(view) ? { ...view, source: copyName(view) } : view)),
    };
    const opened = await openHistory({
      root: folder,
      directory: join(folder, 'projections'),
      engine: { threads: 1, memory: '512MB', spillDirectory: join(folder, 'spill'), spillLimit: '20GB' },
      cacheBytes: 256 * 1024 * 1024,
      logger: silentLogger,
    });
    return { registry: past, history: opened, close: () => opened.close().finally(remove) };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Each view has a copy of its own: what is visible depends on its delay. */
function copyName(view: ViewDocument): string {
  return `${view.name}_until`;
}

async function copySource(
  history: Pick<History, 'engine' | 'readState'>,
  lookup: LookupPlan,
  cutUs: bigint,
  folder: string,
  signal: AbortSignal,
): Promise<SourceDocument> {
  const { view, source } = lookup;
  const state = await history.readState(source);
  const path = join(folder, `${view.name}.parquet`);
  const columns = await history.engine.session(signal, async (session) => {
    const rows =
      source.kind === 'event'
        ? await selectEvents(session, { source, state }, view, cutUs)
        : await selectRows(session, { view, source, state }, lookup, cutUs);
    await session.rows(`copy (${rows}) to ${quoteText(path)} (format parquet)`);
    return (await session.describe(`from read_parquet(${quoteText(path)})`)).map(({ name, type }) => ({
      name,
      type: String(type),
    }));
  });
  const table: TableDocument = { format: 'parquet', paths: [path], hivePartitioning: false, options: {} };
  const { push, tables, stream, query, archive, ...kept } = source;
  const copy = { ...kept, name: copyName(view), table, columns };
  return source.kind === 'event' ? { ...copy, kind: 'event', archive: false } : { ...copy, kind: 'batch' };
}

/** The rows of a table whose latest instant - event and delay, available, created under as-known-at - is not after the cut. */
async function selectRows(
  session: Session,
  input: Parameters<typeof bindProjection>[1],
  { delayUs, asKnown }: LookupPlan,
  cutUs: bigint,
): Promise<string> {
  const { table, columns, zone } = await bindProjection(session, input);
  const { view, source } = input;
  const instant = (name: string) => {
    const column = columns.find((candidate) => candidate.name === name) as (typeof columns)[number];
    return compileInstantUs(`t.${quoteName(name)}`, column.type.typeId, zone);
  };
  const kept = [`${instant(source.eventTimestamp)} <= ${cutUs - delayUs}`];
  if (source.availableAt !== undefined) kept.push(`${instant(source.availableAt)} <= ${cutUs}`);
  if (asKnown && source.createdTimestamp !== undefined) kept.push(`${instant(source.createdTimestamp)} <= ${cutUs}`);
  const rows = `from ${table} as t where ${kept.join(' and ')}`;
  const times = [source.eventTimestamp, source.createdTimestamp].flatMap((name) => (name === undefined ? [] : [instant(name)]));
  const sorted = [...view.keys.map(({ column }) => `t.${quoteName(column)}`), ...times];
  const tied = await session.rows(`select 1 ${rows} group by ${sorted.join(', ')} having count(*) > 1 limit 1`);
  // Between rows of equal keys and times all columns of a table decide (section 3).
  return `select ${tied.length > 0 ? '*' : columnsOf(view, source).join(', ')} ${rows}`;
}

/** What a view reads, which may be few of many columns. */
function columnsOf({ keys, features }: ViewDocument, source: SourceDocument): readonly string[] {
  const times = [source.eventTimestamp, source.createdTimestamp, source.availableAt].flatMap((name) => name ?? []);
  return [...new Set([...times, ...[...keys, ...features].map(({ column }) => column)])].map(quoteName);
}

/** The events before the cut, less the delay: the right end of a window is exclusive. */
async function selectEvents(
  session: Session,
  input: Parameters<typeof bindEventParts>[1],
  view: ViewDocument,
  cutUs: bigint,
): Promise<string> {
  const { source } = input;
  const endUs = cutUs - (view.delay === undefined ? 0n : parseDurationUs(view.delay));
  const columns = declaredColumns(source).map(({ name }) => quoteName(name));
  const all = compileAllEvents(source, await bindEventParts(session, input));
  return `select ${columns.join(', ')} from ${all} where epoch_us(${quoteName(source.eventTimestamp)}) < ${endUs}`;
}
