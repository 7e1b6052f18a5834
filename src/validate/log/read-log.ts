/** The feature log read back: rows as they were served, as Arrow batches of the columns that their shape describes. */
import type { RecordBatch } from '../../arrow/record-batch.ts';
import { parseValueType } from '../../definitions/value-type.ts';
import type { Engine, Session } from '../../offline/duckdb/engine.ts';
import { readColumns } from '../../offline/duckdb/read-columns.ts';
import { quoteFiles, quoteName } from '../../offline/duckdb/sql.ts';
import { columnTypeOf } from '../../registry/bind/column-type.ts';
import { compileErasedRows, type ReadErasures } from './erased-log.ts';
import { listRows, listShapes } from './log-folder.ts';
import { type LogShape, shapeFields } from './shape.ts';

/** Where a log is and what it is read with. */
export interface LogReader {
  /** The log's folder: `feature-log` in the storage. */
  readonly directory: string;
  readonly engine: Engine;
  /** What is erased now: rows of it that still lie in files are not given. */
  readonly readErasures: ReadErasures;
}

export interface LogSelection {
  /** By T, in microseconds: from this instant on, and before that one. */
  readonly fromUs?: bigint;
  readonly toUs?: bigint;
  /** Shapes that serve any of these views, looked up or computed; default all. */
  readonly views?: readonly string[];
  /** Shapes that serve any of these features, `view:feature`; default all. */
  readonly features?: readonly string[];
  /** At most so many rows of each shape, the newest of them; default all. */
  readonly rowsPerShape?: number;
  /** Of more rows than `rowsPerShape` some of any time, rather than the newest. */
  readonly isSpread?: boolean;
  /** Rows of a batch at most; default 65,536. */
  readonly batchRows?: number;
}

export interface LoggedRows {
  readonly shape: LogShape;
  /** Columns are `shapeFields(shape)`, in their order. */
  readonly batch: RecordBatch;
}

/** Rows by shape, those of one shape by T, and of one T as they were served. Files that are replaced while they are read make a shape be read anew, before any of its rows is given. */
export async function* readLog(
  { directory, engine, readErasures }: LogReader,
  selection: LogSelection,
  signal?: AbortSignal,
): AsyncGenerator<LoggedRows, void> {
  for (const shape of await listShapes(directory)) {
    if (!isSelected(shape, selection)) continue;
    const session = await engine.openSession(signal);
    try {
      if (!(await loadRows(session, directory, shape, selection, readErasures))) continue;
      const fields = shapeFields(shape);
      const sql = `select * from ${loaded} order by ${quoteName(shape.own.evaluatedAt)}, rowid`;
      for await (const columns of readColumns(session, sql, fields, selection.batchRows ?? 65_536)) {
        yield { shape, batch: { schema: { fields, metadata: new Map() }, length: columns[0]?.length ?? 0, columns } };
      }
    } finally {
      session.close();
    }
  }
}

const loaded = quoteName('~ rows of the log ~');
/** How often the files of a shape are looked for: merges and erasures replace them, the bound of the log removes them. */
const attempts = 5;

/** Copies what is wanted into a table of the session, so that no file goes while it is read; false where there are no rows. */
async function loadRows(
  session: Session,
  directory: string,
  shape: LogShape,
  selection: LogSelection,
  readErasures: ReadErasures,
): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    // Before the files: once an erasure is lifted, files found earlier could still hold what was erased.
    const erased = compileErasedRows(shape, await readErasures());
    const files = (await listRows(directory, shape.id)).filter((file) => isWithin(file, selection));
    if (files.length === 0) return false;
    try {
      const paths = files.map(({ path }) => path);
      await session.rows(`create or replace temp table ${loaded} as ${compileRead(shape, paths, selection, erased)}`);
      return true;
    } catch (error) {
      const now = new Set((await listRows(directory, shape.id)).map(({ path }) => path));
      if (attempt === attempts || files.every(({ path }) => now.has(path))) throw error;
    }
  }
}

function compileRead(
  shape: LogShape,
  files: readonly string[],
  { fromUs, toUs, rowsPerShape, isSpread }: LogSelection,
  erased: string | undefined,
): string {
  const time = quoteName(shape.own.evaluatedAt);
  const types = new Map([...shape.columns, ...shape.outputs].map(({ name, type }) => [name, columnTypeOf(parseValueType(type))]));
  const columns = shapeFields(shape).map(({ name }) => {
    const type = types.get(name);
    return type === undefined ? quoteName(name) : `cast(${quoteName(name)} as ${type}) as ${quoteName(name)}`;
  });
  const conditions = [
    ...(fromUs === undefined ? [] : [`epoch_us(${time}) >= ${fromUs}`]),
    ...(toUs === undefined ? [] : [`epoch_us(${time}) < ${toUs}`]),
    ...(erased === undefined ? [] : [`(${erased}) is not true`]),
  ];
  const where = conditions.length === 0 ? '' : ` where ${conditions.join(' and ')}`;
  const from = `read_parquet(${quoteFiles(files)}, hive_partitioning = false, union_by_name = true)`;
  const rows = `select ${columns.join(', ')} from ${from}${where}`;
  if (rowsPerShape === undefined) return rows;
  if (isSpread !== true) return `${rows} order by ${time} desc limit ${rowsPerShape}`;
  return `select * from (${rows}) using sample reservoir(${rowsPerShape} rows) repeatable (1)`;
}

function isSelected({ lookups, outputs }: LogShape, { views, features }: LogSelection): boolean {
  const ofViews = views === undefined || [...lookups, ...outputs].some(({ view }) => views.includes(view));
  const ofFeatures = features === undefined || outputs.some(({ view, feature }) => features.includes(`${view}:${feature}`));
  return ofViews && ofFeatures;
}

function isWithin(file: { readonly fromUs: bigint; readonly toUs: bigint }, { fromUs, toUs }: LogSelection): boolean {
  return (fromUs === undefined || file.toUs >= fromUs) && (toUs === undefined || file.fromUs < toUs);
}
