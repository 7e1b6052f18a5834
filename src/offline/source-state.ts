/** The state of a table's files at one moment: what a projection was built from and what an identity names. */
import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { isAbsolute, join, relative } from 'node:path';
import { FeatureStoreError } from '../errors.ts';
import type { SourceDocument, TableDocument } from '../registry/document.ts';
import { tablesOf } from '../registry/source-tables.ts';
import type { ArchiveState } from './archive/archive.ts';
import type { Engine } from './duckdb/engine.ts';
import { quoteText } from './duckdb/sql.ts';

export interface FileState {
  /** As given in the definition: relative to the repository where it was. */
  readonly path: string;
  readonly absolutePath: string;
  readonly bytes: number;
  readonly modifiedNs: string;
  /** sha256 of a Parquet file's footer, absent for other formats. */
  readonly footer?: string;
}

export interface TableState {
  readonly files: readonly FileState[];
  /** The same files by table of the source (see tablesOf): a file of two tables is in both. */
  readonly byTable: readonly (readonly FileState[])[];
  /** Files of the source's archive: what was pushed to it. They are never changed, only added and replaced. */
  readonly archived: readonly FileState[];
  /** A condition in SQL: rows of archived files of which it is true are erased (rule 8.4). */
  readonly erased: string | undefined;
  /** sha256 over path, size, modification time and footer of every file, and over what is erased. */
  readonly hash: string;
  /** The same over the table's own files alone. */
  readonly ownHash: string;
}

/** Files read at once: a process may hold only so many open. */
const filesAtOnce = 64;

/** Lists the files of a table and takes their state, with those of its archive; where there is none at all, the error names the table's paths. */
export async function readTableState(
  engine: Engine,
  table: TableDocument,
  root: string,
  source: string,
  archive: ArchiveState = nothingArchived,
): Promise<TableState> {
  const paths = await listFiles(engine, table, root);
  if (paths.length === 0 && archive.files.length === 0) {
    const where = table.paths.map((path) => `"${path}"`).join(', ');
    throw new FeatureStoreError('NOT_FOUND', `source "${source}": no file matches ${where} (looked in ${root})`, {
      details: { source, paths: table.paths },
    });
  }
  const files = await readFileStates(paths, root, table.format, source);
  const archived = await readFileStates(archive.files, root, 'parquet', source);
  return stateOf([files], archived, archive.erased);
}

const nothingArchived: ArchiveState = { files: [], erased: undefined };

/**
 * The state of all files of a source. Every table of an event source's history has files, or NOT_FOUND names its paths; one without a
 * table has no event before the first is archived. A table that takes pushes may be nothing but what was pushed.
 */
export async function readSourceState(
  engine: Engine,
  source: SourceDocument,
  root: string,
  archive: ArchiveState = nothingArchived,
): Promise<TableState> {
  if (source.kind !== 'event') return await readTableState(engine, source.table, root, source.name, archive);
  const byTable: FileState[][] = [];
  for (const table of tablesOf(source)) byTable.push([...(await readTableState(engine, table, root, source.name)).files]);
  return stateOf(byTable, await readFileStates(archive.files, root, 'parquet', source.name), archive.erased);
}

function stateOf(
  byTable: readonly (readonly FileState[])[],
  archived: readonly FileState[],
  erased: string | undefined,
): TableState {
  const files = byTable.flat();
  // Which table a file is of matters where there are several.
  const tables = byTable.length > 1 ? JSON.stringify(byTable.map((table) => table.length)) : '';
  const hash = hashStates([...files, ...archived], `${erased ?? ''}${tables}`);
  return { files, byTable, archived, erased, hash, ownHash: hashStates(files, tables) };
}

async function readFileStates(paths: readonly string[], root: string, format: string, source: string): Promise<FileState[]> {
  const files: FileState[] = [];
  for (let at = 0; at < paths.length; at += filesAtOnce) {
    const some = paths.slice(at, at + filesAtOnce);
    files.push(...(await Promise.all(some.map((path) => readFileState(path, root, format, source)))));
  }
  return files;
}

function hashStates(files: readonly FileState[], besides: string): string {
  const hash = createHash('sha256');
  for (const file of files) hash.update(JSON.stringify([file.path, file.bytes, file.modifiedNs, file.footer ?? null]));
  hash.update(besides);
  return hash.digest('hex');
}

async function listFiles(engine: Engine, table: TableDocument, root: string): Promise<string[]> {
  const absolute = table.paths.map((path) => (isAbsolute(path) ? path : join(root, path)));
  const found = new Set<string>();
  const patterns = absolute.filter((path) => /[*?[{]/.test(path));
  for (const path of absolute) if (!patterns.includes(path)) found.add(path);
  if (patterns.length > 0) {
    const parts = patterns.map((pattern) => `select file from glob(${quoteText(pattern)})`);
    const rows = await engine.session(undefined, (session) => session.rows(parts.join(' union ')));
    for (const row of rows) found.add(row.file as string);
  }
  return [...found].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

/** Footers by file and version: a footer is read again only when size or time of its file changed. */
const footers = new Map<string, string>();

/** Size, time and footer of one open file, as a path may stand for another file a moment later. */
async function readFileState(absolutePath: string, root: string, format: string, source: string): Promise<FileState> {
  const inside = relative(root, absolutePath);
  const path = inside.startsWith('..') || isAbsolute(inside) ? absolutePath : inside;
  const file = await open(absolutePath, 'r').catch((cause) => {
    throw new FeatureStoreError('NOT_FOUND', `source "${source}": file "${path}" does not exist or cannot be read`, {
      details: { source, file: path },
      cause,
    });
  });
  try {
    const info = await file.stat({ bigint: true });
    if (!info.isFile()) {
      throw new FeatureStoreError('FAILED_PRECONDITION', `source "${source}": "${path}" is no file`, {
        details: { source, file: path },
      });
    }
    const state = { path, absolutePath, bytes: Number(info.size), modifiedNs: String(info.mtimeNs) };
    if (format !== 'parquet') return state;
    const version = `${absolutePath}\n${info.ino}\n${info.size}\n${info.mtimeNs}`;
    const footer = footers.get(version) ?? (await hashFooter(file, path, state.bytes, source));
    if (footers.size > 100_000) footers.clear();
    footers.set(version, footer);
    return { ...state, footer };
  } finally {
    await file.close();
  }
}

/** A Parquet file ends with its footer, the footer's length in four bytes (little endian) and `PAR1`. */
async function hashFooter(file: FileHandle, path: string, bytes: number, source: string): Promise<string> {
  const tail = Buffer.alloc(8);
  if (bytes >= 12) await file.read(tail, 0, 8, bytes - 8);
  const length = tail.readUInt32LE(0);
  if (tail.toString('latin1', 4) !== 'PAR1' || length + 12 > bytes) {
    throw new FeatureStoreError(
      'FAILED_PRECONDITION',
      `source "${source}": file "${path}" is no complete Parquet file (it has ${bytes} bytes and no valid footer); write it again`,
      { details: { source, file: path } },
    );
  }
  const footer = Buffer.alloc(length);
  await file.read(footer, 0, length, bytes - 8 - length);
  return createHash('sha256').update(footer).digest('hex');
}
