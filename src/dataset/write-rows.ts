/** Rows into the Parquet files of a dataset: each into its part, in the frame's order, file by file. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Column } from '../arrow/column.ts';
import { type Field, field } from '../arrow/schema.ts';
import { sliceColumn } from '../arrow/slice.ts';
import { takeColumns } from '../arrow/take.ts';
import { FeatureStoreError } from '../errors.ts';
import { createParquetFile, type ParquetFile, parquetType } from '../offline/duckdb/write-parquet.ts';
import { type BlockWriter, checksumPath, createBlockWriter } from './blocks.ts';
import {
  blockRows,
  type DataFile,
  type DatasetFile,
  type DatasetSplit,
  fileRows,
  rowColumn,
  shuffleRows,
  windowBlocks,
  windowBytes,
} from './manifest.ts';

export interface RowWriter {
  /** Columns without dictionaries, and the part of each row. */
  write(columns: readonly Column[], parts: Uint8Array): Promise<void>;
  finish(): Promise<DatasetSplit[]>;
  /** Lets go of everything; harmless after finish. */
  close(): void;
}

interface Part {
  readonly name: string;
  rows: number;
  readonly files: DataFile[];
  readonly blocks: { readonly path: string; readonly writer: BlockWriter };
  open: { readonly file: ParquetFile; readonly path: string; rows: number } | undefined;
}

const rowField: Field = { ...field(rowColumn, { id: 'int', bits: 64, signed: true }), nullable: false };

/** The fields of the files: those given and, where there are several parts, the row's position in the frame. */
export function writtenFields(fields: readonly Field[], parts: readonly string[]): readonly Field[] {
  return parts.length > 1 ? [...fields, rowField] : fields;
}

/** Names that the files' readers give to columns of their own. */
const reserved = [rowColumn, 'file_row_number'];

/** INVALID_ARGUMENT names a column that Parquet does not hold, whose name is taken, and two that Parquet's readers take for one. */
export function checkFields(fields: readonly Field[], parts: readonly string[]): void {
  for (const { name } of fields)
    if (reserved.includes(name.toLowerCase()))
      throw new FeatureStoreError(
        'INVALID_ARGUMENT',
        `a dataset cannot hold a column "${name}": that is the name of a row's place in it; rename it in the frame, or leave it out`,
        { details: { column: name } },
      );
  const seen = new Map<string, string>();
  for (const each of writtenFields(fields, parts)) {
    const known = seen.get(each.name.toLowerCase());
    if (known !== undefined)
      throw new FeatureStoreError(
        'INVALID_ARGUMENT',
        `a dataset cannot hold both "${known}" and "${each.name}": their names differ in case at most; rename one in the frame`,
        { details: { column: each.name } },
      );
    seen.set(each.name.toLowerCase(), each.name);
    try {
      parquetType(each);
    } catch (cause) {
      const { details } = cause as FeatureStoreError;
      throw new FeatureStoreError(
        'INVALID_ARGUMENT',
        `column "${each.name}" is ${details.type}, which a dataset does not hold; convert it, or leave it out of the frame`,
        { details, cause },
      );
    }
  }
}

/** Opens the files in a draft's folder; `memory`, in DuckDB's notation, is what each part's open file may hold before it spills. */
export async function createRowWriter(
  draft: string,
  fields: readonly Field[],
  parts: readonly string[],
  memory = '256MB',
): Promise<RowWriter> {
  await mkdir(join(draft, 'data'));
  await mkdir(join(draft, 'blocks'));
  const written = writtenFields(fields, parts);
  const into: Part[] = [];
  for (const name of parts) {
    const path = `blocks/${name}.arrow`;
    const writer = await createBlockWriter(join(draft, path), { fields: written, metadata: new Map() }, shuffleRows);
    into.push({ name, rows: 0, files: [], blocks: { path, writer }, open: undefined });
  }
  let firstRow = 0;

  async function openFile(part: Part): Promise<NonNullable<Part['open']>> {
    const path = `data/${part.name}-${String(part.files.length).padStart(5, '0')}.parquet`;
    const spillDirectory = join(draft, 'spill', part.name);
    await mkdir(spillDirectory, { recursive: true });
    const file = await createParquetFile(join(draft, path), written, {
      memory,
      spillDirectory,
      rowGroupRows: blockRows,
    });
    return { file, path, rows: 0 };
  }

  async function closeFile(part: Part): Promise<void> {
    if (part.open === undefined) return;
    const { file, path, rows } = part.open;
    await file.finish();
    part.open = undefined;
    part.files.push({ ...(await describeFile(draft, path)), rows });
  }

  async function append(part: Part, columns: readonly Column[]): Promise<void> {
    const length = columns[0]?.length ?? 0;
    await part.blocks.writer.write({ length, columns });
    for (let start = 0; start < length; ) {
      part.open ??= await openFile(part);
      const end = Math.min(length, start + fileRows - part.open.rows);
      const isWhole = start === 0 && end === length;
      await part.open.file.write(isWhole ? columns : columns.map((column) => sliceColumn(column, start, end)));
      part.open.rows += end - start;
      part.rows += end - start;
      if (part.open.rows === fileRows) await closeFile(part);
      start = end;
    }
  }

  return {
    async write(columns, partOf) {
      if (into.length === 1) await append(into[0] as Part, columns);
      else
        for (const [index, part] of into.entries()) {
          const rows = rowsOf(partOf, index);
          if (rows.length > 0) await append(part, [...takeColumns(columns, rows), positions(rows, firstRow)]);
        }
      firstRow += partOf.length;
    },
    async finish() {
      const splits: DatasetSplit[] = [];
      for (const part of into) {
        await closeFile(part);
        await part.blocks.writer.finish();
        const { name, rows, files } = part;
        const described = await describeFile(draft, part.blocks.path);
        const checksums = await describeFile(draft, checksumPath(part.blocks.path));
        const widest = Math.floor(windowBytes / (shuffleRows * Math.max(1, described.bytes / Math.max(1, rows))));
        const window_blocks = Math.max(1, Math.min(windowBlocks, widest));
        splits.push({ name, rows, files, blocks: { ...described, checksums, rows, block_rows: shuffleRows, window_blocks } });
      }
      return splits;
    },
    close() {
      for (const part of into) {
        part.open?.file.close();
        void part.blocks.writer.close().catch(() => {});
      }
    },
  };
}

function rowsOf(parts: Uint8Array, wanted: number): Int32Array {
  const rows = new Int32Array(parts.length);
  let count = 0;
  for (let row = 0; row < parts.length; row++) if (parts[row] === wanted) rows[count++] = row;
  return rows.slice(0, count);
}

function positions(rows: Int32Array, firstRow: number): Column {
  const values = BigInt64Array.from(rows, (row) => BigInt(firstRow + row));
  return { field: rowField, length: rows.length, nullCount: 0, buffers: [new Uint8Array(values.buffer)], children: [] };
}

/** Size and sha256 of a file in a folder. */
export async function describeFile(directory: string, path: string): Promise<DatasetFile> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(join(directory, path), { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return { path, bytes: (await stat(join(directory, path))).size, sha256: hash.digest('hex') };
}
