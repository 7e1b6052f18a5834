/** Files of the feature log written anew or removed: many small ones as one, those of erased entities without them, the oldest for room. */
import { rm, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { asFeatureStoreError } from '../../errors.ts';
import { rewriteAlone } from '../../offline/archive/alone.ts';
import { draftName, makeDurable, removeReplaced, removeUnlisted, replaceFiles } from '../../offline/archive/folder.ts';
import type { Engine, Session } from '../../offline/duckdb/engine.ts';
import { quoteFiles, quoteText } from '../../offline/duckdb/sql.ts';
import { parquetFormat } from '../../offline/duckdb/write-parquet.ts';
import { compileErasedRows, type ReadErasures } from './erased-log.ts';
import { absent, type LogFile, listRows, listShapes, measureLog, rowsName } from './log-folder.ts';
import { type LogShape, shapeFields } from './shape.ts';

export interface LogFiles {
  /** The log's folder, which servers may share: it need not be there. */
  readonly directory: string;
  readonly engine: Engine;
  readonly readErasures: ReadErasures;
}

export interface LogRewrite {
  /** Files that were replaced, and rows that are no more. */
  readonly files: number;
  readonly rows: number;
}

/** Rewrites all files that hold rows of erased entities; when this resolves, none of them is on the disk. */
export async function eraseLog(log: LogFiles, signal?: AbortSignal): Promise<LogRewrite> {
  let files = 0;
  let rows = 0;
  for (const shape of await listShapes(log.directory)) {
    if (compileErasedRows(shape, await log.readErasures()) === undefined) continue;
    const report = await rewriteShape(log, shape, signal, (session, erased) => eraseShape(log, shape, session, erased));
    files += report.files;
    rows += report.rows;
  }
  return { files, rows };
}

/** Merges files of fewer bytes than `smallBytes`, those of one shape that follow each other, into files of twice as many at most. */
export async function mergeLog(log: LogFiles, smallBytes: number, signal?: AbortSignal): Promise<void> {
  for (const shape of await listShapes(log.directory)) {
    if ((await smallFiles(log.directory, shape, smallBytes)).length < 2) continue;
    await rewriteShape(log, shape, signal, async (session, erased) => {
      const small = await smallFiles(log.directory, shape, smallBytes);
      for (const group of groupFiles(small, 2 * smallBytes)) await replaceRows(log, shape, session, group, erased);
    });
  }
}

/** Removes the oldest files until all of the log takes no more than that; gives the bytes it takes then. */
export async function boundLog({ directory }: Pick<LogFiles, 'directory'>, maxBytes: number): Promise<number> {
  let bytes = await measureLog(directory);
  if (bytes <= maxBytes) return bytes;
  const files: (LogFile & { readonly folder: string })[] = [];
  for (const { id } of await listShapes(directory)) {
    for (const file of await listRows(directory, id)) files.push({ ...file, folder: join(directory, id) });
  }
  files.sort((a, b) => (a.toUs < b.toUs ? -1 : a.toUs > b.toUs ? 1 : 0));
  for (const { folder, name } of files) {
    if (bytes <= maxBytes) return bytes;
    await rewriteAlone(folder, async () => {
      await removeUnlisted(folder);
      await replaceFiles(folder, [name], []).catch(unlessReplaced);
      await removeReplaced(folder, Date.now());
    });
    bytes = await measureLog(directory);
  }
  return bytes;
}

/** Removes the folders of shapes that have no rows any more, and to which nobody has written for as long. */
export async function removeEmptyShapes(directory: string, idleMs: number): Promise<void> {
  for (const { id } of await listShapes(directory)) {
    const folder = join(directory, id);
    const info = await stat(folder).catch(absent(undefined));
    if (info === undefined || info.mtimeMs > Date.now() - idleMs || (await listRows(directory, id)).length > 0) continue;
    for (const name of ['shape.json', 'manifest.json', 'rewriting.lock']) await rm(join(folder, name), { force: true });
    // It stays where somebody has begun to write into it, who will find that its shape is gone and write that again.
    await rmdir(folder).catch(() => {});
  }
}

/** Of a shape nobody else rewrites files meanwhile. */
async function rewriteShape<T>(
  { directory, engine, readErasures }: LogFiles,
  shape: LogShape,
  signal: AbortSignal | undefined,
  work: (session: Session, erased: string | undefined) => Promise<T>,
): Promise<T> {
  const folder = join(directory, shape.id);
  return await rewriteAlone(folder, async () => {
    await removeUnlisted(folder);
    const erased = compileErasedRows(shape, await readErasures());
    return await engine.session(signal, (session) => work(session, erased));
  });
}

async function eraseShape(log: LogFiles, shape: LogShape, session: Session, erased: string | undefined): Promise<LogRewrite> {
  let files = 0;
  let rows = 0;
  for (const file of erased === undefined ? [] : await listRows(log.directory, shape.id)) {
    const counted = `select count(*)::int as rows from ${readRows([file])} where ${erased}`;
    const found = Number((await session.rows(counted))[0]?.rows);
    if (found === 0) continue;
    await replaceRows(log, shape, session, [file], erased);
    files += 1;
    rows += found;
  }
  return { files, rows };
}

/** The rows of some files, the oldest first, that are not erased as one file instead; the others are removed at once. */
async function replaceRows(
  { directory }: LogFiles,
  shape: LogShape,
  session: Session,
  files: readonly LogFile[],
  erased = 'false',
): Promise<void> {
  const folder = join(directory, shape.id);
  const [first] = files;
  const last = files.toSorted((one, other) => Number(other.toUs - one.toUs))[0];
  const name = rowsName(first?.fromUs as bigint, last?.toUs as bigint, 'merged');
  const draft = join(folder, draftName(name));
  const rows = `select * from ${readRows(files)} where (${erased}) is not true`;
  await session.rows(`copy (${rows}) to ${quoteText(draft)} ${parquetFormat(shapeFields(shape), { encodings: 'dense' })}`);
  await makeDurable(draft, join(folder, name), folder);
  const replaced = files.map((file) => file.name);
  await replaceFiles(folder, replaced, [name]);
  await removeReplaced(folder, Date.now());
}

function readRows(files: readonly LogFile[]): string {
  return `read_parquet(${quoteFiles(files.map(({ path }) => path))}, hive_partitioning = false)`;
}

type SizedFile = LogFile & { readonly bytes: number };

async function smallFiles(directory: string, { id }: LogShape, smallBytes: number): Promise<readonly SizedFile[]> {
  const sized: SizedFile[] = [];
  for (const file of await listRows(directory, id)) {
    const bytes = (await stat(file.path).catch(absent({ size: smallBytes }))).size;
    if (bytes < smallBytes) sized.push({ ...file, bytes });
  }
  return sized;
}

function groupFiles(files: readonly SizedFile[], maxBytes: number): readonly (readonly SizedFile[])[] {
  const groups: SizedFile[][] = [];
  let bytes = 0;
  for (const file of files) {
    bytes += file.bytes;
    if (groups.length === 0 || bytes > maxBytes) {
      groups.push([]);
      bytes = file.bytes;
    }
    groups.at(-1)?.push(file);
  }
  return groups.filter((group) => group.length > 1);
}

/** Somebody else has removed it. */
function unlessReplaced(error: unknown): void {
  if (asFeatureStoreError(error).code !== 'ABORTED') throw error;
}
