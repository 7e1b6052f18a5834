/** Runs of SQL sources: each tick's rows computed behind the fence, kept as a file, and read as the source's table (semantics 11). */
import { basename, join } from 'node:path';
import { parseDurationUs } from '../../definitions/duration.ts';
import { formatInstantUs } from '../../definitions/literal.ts';
import { FeatureStoreError } from '../../errors.ts';
import { type Logger, silentLogger } from '../../observe.ts';
import type { QueryDocument, SourceDocument } from '../../registry/document.ts';
import type { ArchiveState } from '../archive/archive.ts';
import { compileErased, type ReadErasedRows } from '../archive/erased.ts';
import type { RewriteReport } from '../archive/rewrite.ts';
import type { Engine, Session } from '../duckdb/engine.ts';
import { quoteName, quoteText } from '../duckdb/sql.ts';
import { createLanes } from '../lanes.ts';
import type { TableState } from '../source-state.ts';
import { composeStatement, type InputRelation, tickValue } from './compose-statement.ts';
import { fenceInput } from './fence-input.ts';
import { copyRows, eraseTicks, mergeTicks, type RewrittenTicks } from './rewrite-ticks.ts';
import { listTickFiles, removeOtherFolders, replaceTick, tidyTickFolder } from './tick-folder.ts';

export interface TicksOptions {
  /** Holds a folder for each SQL source. */
  readonly directory: string;
  /** Another, whose ticks count as well and are never written; default: none. */
  readonly knownDirectory?: string;
  /** Which rows are of erased entities; default: none. */
  readonly readErased?: ReadErasedRows;
  /** Ticks with files of their own that are merged when there are so many; default 64. */
  readonly mergeAt?: number;
  readonly logger?: Logger;
  /** Runs `read` over the state of a source's files, and again where they were replaced meanwhile. */
  readonly withState: <T>(source: SourceDocument, read: (state: TableState) => Promise<T>) => Promise<T>;
}

export interface TickRun {
  /** A multiple of the source's `every`, in microseconds. */
  readonly tickUs: bigint;
  /** The created timestamp of its rows, in microseconds. */
  readonly createdUs: bigint;
}

export interface Ticks {
  /** The ticks that have run under a source's definition, ascending, in microseconds. */
  list(source: SourceDocument): Promise<readonly bigint[]>;
  /** The files that hold the source's rows now, and what of them is erased; NOT_FOUND where no tick has run. */
  state(source: SourceDocument): Promise<ArchiveState>;
  /** Runs one tick over the inputs as their files are now; its rows stand instead of what an earlier run of it gave. */
  run(
    source: SourceDocument,
    inputs: readonly SourceDocument[],
    run: TickRun,
    signal: AbortSignal,
  ): Promise<{ readonly rows: number }>;
  /**
   * Rewrites the files of a source without rows that are erased, and removes those of its former definitions; undefined where no tick has run
   * as it is defined now.
   */
  erase(source: SourceDocument): Promise<RewriteReport | undefined>;
}

export function openTicks(engine: Engine, options: TicksOptions): Ticks {
  const { directory, knownDirectory, readErased = async () => [], withState, logger = silentLogger } = options;
  // A file that stands beside known ticks is left out with its tick, and must have no other.
  const mergeAt = knownDirectory === undefined ? (options.mergeAt ?? 64) : Number.POSITIVE_INFINITY;
  const tidied = new Map<string, Promise<void>>();
  /** A tick that runs while files are rewritten must not be undone by that. */
  const lanes = createLanes();
  const folderIn = (parent: string, source: SourceDocument) => join(parent, source.name, queryOf(source).hash.slice(0, 16));
  const folderOf = (source: SourceDocument) => folderIn(directory, source);

  /** The files that count; a tick that is in both folders counts where it was known. */
  const listFiles = async (source: SourceDocument): Promise<readonly FoundFile[]> => {
    const own = await listIn(folderOf(source));
    if (knownDirectory === undefined) return own;
    const known = await listIn(folderIn(knownDirectory, source));
    const ticks = new Set(known.flatMap((file) => [...file.ticks]));
    return [...known, ...own.filter((file) => ![...file.ticks].some((tick) => ticks.has(tick)))];
  };

  const openFolder = async (source: SourceDocument): Promise<string> => {
    const folder = folderOf(source);
    const opening = tidied.get(folder) ?? tidyTickFolder(folder);
    tidied.set(folder, opening);
    opening.catch(() => tidied.delete(folder));
    await opening;
    return folder;
  };

  const compile = async (source: SourceDocument) =>
    compileErased(
      await readErased(source.name),
      source.columns.map(({ name }) => name),
    );

  /** Gives `use` the inputs behind their fence; it is called again where files were replaced while it read them. */
  async function withInputs(
    session: Session,
    source: SourceDocument,
    inputs: readonly SourceDocument[],
    run: TickRun,
    use: (relations: readonly InputRelation[]) => Promise<void>,
  ): Promise<void> {
    const query = queryOf(source);
    const visibleUs = run.tickUs + parseDurationUs(query.offset);
    const fence = { tickUs: run.tickUs, visibleUs, knownUs: query.asKnown ? run.createdUs : undefined };
    const next = async (relations: readonly InputRelation[]): Promise<void> => {
      const input = query.inputs[relations.length];
      if (input === undefined) return await use(relations);
      const from = inputs.find(({ name }) => name === input.source) as SourceDocument;
      await withState(from, async (state) => await next([...relations, await fenceInput(session, input, from, state, fence)]));
    };
    await next([]);
  }

  async function runTick(source: SourceDocument, inputs: readonly SourceDocument[], run: TickRun, signal: AbortSignal) {
    const folder = await openFolder(source);
    const query = queryOf(source);
    let rows = 0;
    await engine.session(signal, async (session) => {
      await withInputs(session, source, inputs, run, async (relations) => {
        const sql = compileRows(source, composeStatement(query.sql, relations), run);
        const write = async (draft: string) => {
          const copied = await session.rows(
            `copy (${sql}) to ${quoteText(draft)} (format parquet)`,
            tickValue(query, run.tickUs),
          );
          rows = Number(copied[0]?.Count);
          signal.throwIfAborted();
        };
        const isTick = `epoch_us(${quoteName(source.eventTimestamp)}) = ${run.tickUs}`;
        await replaceTick(folder, run.tickUs, write, (merged, path) =>
          copyRows(session, [merged], path, source.eventTimestamp, isTick),
        );
      });
    });
    await mergeIfMany(source);
    return { rows };
  }

  const rewrittenOf = (source: SourceDocument): RewrittenTicks => ({
    folder: folderOf(source),
    tickColumn: source.eventTimestamp,
    readErased: () => compile(source),
  });

  async function eraseRows(source: SourceDocument): Promise<RewriteReport | undefined> {
    const folder = folderOf(source);
    await removeOtherFolders(join(directory, source.name), basename(folder));
    if ((await listTickFiles(folder)).length === 0) return undefined;
    return await eraseTicks(engine, rewrittenOf(source));
  }

  /** The tick has run, whatever becomes of this: the next one tries again. */
  async function mergeIfMany(source: SourceDocument): Promise<void> {
    try {
      await mergeTicks(engine, rewrittenOf(source), { mergeAt });
    } catch (error) {
      logger.warn({ source: source.name, error: String(error) }, 'ticks of an SQL source could not be merged');
    }
  }

  return {
    async list(source) {
      const ticks = (await listFiles(source)).flatMap((file) => [...file.ticks]);
      return ticks.sort((a, b) => (a < b ? -1 : 1));
    },
    async state(source) {
      // Before the files: once an erasure is lifted, files found earlier could still hold what was erased.
      const erased = await compile(source);
      const files = (await listFiles(source)).map(({ path }) => path);
      if (files.length === 0) throw noTick(source);
      return { files, erased };
    },
    async run(source, inputs, run, signal) {
      try {
        return await lanes.run(source.name, () => runTick(source, inputs, run, signal));
      } catch (error) {
        signal.throwIfAborted();
        throw failedTick(source, run.tickUs, error);
      }
    },
    erase: (source) => lanes.run(source.name, () => eraseRows(source)),
  };
}

interface FoundFile {
  readonly path: string;
  readonly ticks: ReadonlySet<bigint>;
}

async function listIn(folder: string): Promise<readonly FoundFile[]> {
  return (await listTickFiles(folder)).map(({ name, ticks }) => ({ path: join(folder, name), ticks }));
}

/** The statement's columns by the types that apply bound, and the two timestamps. A sum beyond int64 is null, as in windows (6.10). */
function compileRows(source: SourceDocument, statement: string, { tickUs, createdUs }: TickRun): string {
  const times = [source.eventTimestamp, source.createdTimestamp];
  const values = source.columns
    .filter(({ name }) => !times.includes(name))
    .map(({ name, type }) => `${type === 'BIGINT' ? 'try_cast' : 'cast'}(${quoteName(name)} as ${type}) as ${quoteName(name)}`);
  const instants = [tickUs, createdUs].map((us, at) => `make_timestamptz(${us}::bigint) as ${quoteName(times[at] as string)}`);
  return `select ${[...values, ...instants].join(', ')} from (\n${statement}\n)`;
}

export function queryOf({ query }: SourceDocument): QueryDocument {
  return query as QueryDocument;
}

function noTick({ name }: SourceDocument): FeatureStoreError {
  const command = `featherflight run-sql ${name} --start … --end …`;
  const message = `source "${name}" has no rows: no tick of it has run as it is defined now; run ${command} over the time that you need`;
  return new FeatureStoreError('NOT_FOUND', message, { details: { source: name } });
}

function failedTick({ name }: SourceDocument, tickUs: bigint, error: unknown): unknown {
  if (!(error instanceof FeatureStoreError)) return error;
  const tick = formatInstantUs(tickUs);
  const { code, details } = error;
  return new FeatureStoreError(code, `source "${name}", tick ${tick}: ${error.message}`, {
    details: { ...details, source: name, tick },
    cause: error,
  });
}
