/** An entity frame in a Parquet, CSV or JSON file, read by the engine. */
import type { DuckDBType } from '@duckdb/node-api';
import { columnFromValues } from '../../arrow/build.ts';
import type { Column } from '../../arrow/column.ts';
import { duckdbField } from '../../arrow/from-duckdb.ts';
import type { Field, Metadata, Schema } from '../../arrow/schema.ts';
import { sliceColumn } from '../../arrow/slice.ts';
import type { TableDocument } from '../../registry/document.ts';
import type { Engine, Session } from '../duckdb/engine.ts';
import { readColumns } from '../duckdb/read-columns.ts';
import { escapePattern, quoteName } from '../duckdb/sql.ts';
import { compileTable } from '../duckdb/table.ts';
import { readTableState } from '../source-state.ts';
import type { FrameFile, FramePath, FrameRows } from './frame-file.ts';
import { readParquetTypes } from './parquet-types.ts';
import { restoreColumn } from './restore-column.ts';
import { isWithoutZone, withoutZone } from './time-without-zone.ts';

/** How rows are read, and what is made of them. */
interface ReadPlan {
  readonly sql: string;
  /** As the engine gives them. */
  readonly read: readonly Field[];
  /** As the frame has them. */
  readonly schema: Schema;
}

/** Text is looked at to its end: by its first rows alone, a JSON member that comes later would be dropped. */
const wholeFile = { parquet: {}, csv: { sample_size: -1 }, json: { sample_size: -1 } } as const;

/** Opens the frame. */
export async function openTableFrame(engine: Engine, format: TableDocument['format'], path: FramePath): Promise<FrameFile> {
  const { file, name, root } = path;
  const table: TableDocument = { format, paths: [escapePattern(file)], hivePartitioning: false, options: wholeFile[format] };
  const { hash } = await readTableState(engine, table, root, name);
  const from = compileTable(table, [file]);
  return await engine.session(undefined, async (session) => {
    const plan = await planRead(session, format, from, path);
    const [count] = await session.rows(`select count(*) as rows from ${from}`);
    return {
      schema: plan.schema,
      rows: count?.rows as bigint,
      hash,
      batches: (maxRows, signal) => readRows(engine, plan, maxRows, signal),
    };
  });
}

async function planRead(session: Session, format: TableDocument['format'], from: string, path: FramePath): Promise<ReadPlan> {
  const columns = await session.describe(`select * from ${from}`);
  const read = columns.map(({ name, type }) => duckdbField(name, withoutZone(type)));
  const sql = `select ${columns.map(compileColumn).join(', ')} from ${from}`;
  if (format !== 'parquet') return { sql, read, schema: { fields: read, metadata: new Map() as Metadata } };
  const schema = await readParquetTypes(session, read, path);
  for (const [index, field] of schema.fields.entries()) restoreColumn(columnFromValues(read[index] as Field, []), field);
  return { sql, read, schema };
}

function compileColumn({ name, type }: { name: string; type: DuckDBType }): string {
  return isWithoutZone(type) ? quoteName(name) : `cast(${quoteName(name)} as ${withoutZone(type)})`;
}

async function* readRows(engine: Engine, plan: ReadPlan, maxRows: number, signal: AbortSignal): AsyncGenerator<FrameRows, void> {
  const { fields } = plan.schema;
  const session = await engine.openSession(signal);
  const rowsOf = (columns: readonly Column[]): FrameRows => ({
    columns,
    length: columns[0]?.length ?? 0,
    dictionaries: new Map(),
  });
  let isEmpty = true;
  try {
    for await (const part of readColumns(session, plan.sql, plan.read, maxRows)) {
      isEmpty = false;
      const columns = part.map((column, index) => restoreColumn(column, fields[index] as Field));
      const length = columns[0]?.length ?? 0;
      for (let start = 0; start < length; start += maxRows)
        yield rowsOf(columns.map((column) => sliceColumn(column, start, Math.min(length, start + maxRows))));
    }
    if (isEmpty) yield rowsOf(fields.map((field) => columnFromValues(field, [])));
  } finally {
    session.close();
  }
}
