/** An entity frame that the server reads itself: a Parquet or CSV file inside what clients may name. */
import { extname } from 'node:path';
import { columnFromValues } from '../arrow/build.ts';
import type { Column } from '../arrow/column.ts';
import { duckdbField } from '../arrow/from-duckdb.ts';
import type { Schema } from '../arrow/schema.ts';
import { sliceColumn } from '../arrow/slice.ts';
import { FeatureStoreError } from '../errors.ts';
import type { Engine } from '../offline/duckdb/engine.ts';
import { readColumns } from '../offline/duckdb/read-columns.ts';
import { compileTable } from '../offline/duckdb/table.ts';
import { readTableState } from '../offline/source-state.ts';
import type { TableDocument } from '../registry/document.ts';
import { plainReader, type SentBatch } from './frame.ts';
import { resolveReadable } from './readable-paths.ts';

const formats: Readonly<Record<string, TableDocument['format']>> = {
  '.parquet': 'parquet',
  '.csv': 'csv',
  '.json': 'json',
  '.jsonl': 'json',
};

/** Opens the frame at a path that a client named. */
export async function openPathFrame(engine: Engine, path: string, root: string, readable: readonly string[]) {
  const format = formats[extname(path).toLowerCase()];
  if (format === undefined) {
    throw new FeatureStoreError(
      'INVALID_ARGUMENT',
      `"${path}" is no file that the server reads: its name must end in ${Object.keys(formats).join(', ')}`,
    );
  }
  const file = await resolveReadable(path, root, readable);
  const table: TableDocument = { format, paths: [file], hivePartitioning: false, options: {} };
  const sql = `select * from ${compileTable(table, [file])}`;
  const state = await readTableState(engine, table, root, path);
  const { schema, rows } = await engine.session(undefined, async (session) => {
    const columns = await session.describe(sql);
    const fields = columns.map((column) => duckdbField(column.name, column.type));
    const [count] = await session.rows(`select count(*) as rows from (${sql})`);
    return { schema: { fields, metadata: new Map() } as Schema, rows: count?.rows as bigint };
  });
  return {
    schema,
    rows,
    hash: state.hash,
    batches: (maxRows: number, signal: AbortSignal) => readRows(engine, sql, schema, maxRows, signal),
  };
}

async function* readRows(
  engine: Engine,
  sql: string,
  schema: Schema,
  maxRows: number,
  signal: AbortSignal,
): AsyncGenerator<SentBatch, void> {
  const session = await engine.openSession(signal);
  const sent = (columns: readonly Column[]): SentBatch => ({
    columns,
    length: columns[0]?.length ?? 0,
    before: [],
    plain: plainReader(columns, new Map()),
  });
  let any = false;
  try {
    for await (const columns of readColumns(session, sql, schema.fields, maxRows)) {
      any = true;
      const length = columns[0]?.length ?? 0;
      for (let start = 0; start < length; start += maxRows) {
        yield sent(columns.map((column) => sliceColumn(column, start, Math.min(length, start + maxRows))));
      }
    }
    if (!any) yield sent(schema.fields.map((field) => columnFromValues(field, [])));
  } finally {
    session.close();
  }
}
