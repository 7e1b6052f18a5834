/**
 * The folder of the feature log: for each shape one named by its id, which holds `shape.json` and files of rows. They come and go as those
 * of an archive do (see offline/archive/manifest.ts): `FROM-TO-ID.rows.push.parquet` is one flush, rows of T from FROM to TO in
 * microseconds; `FROM-TO-ID.rows.merged.parquet` counts instead of others once `manifest.json` says so.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { draftName, makeDurable } from '../../offline/archive/folder.ts';
import { listArchive } from '../../offline/archive/manifest.ts';
import type { LogShape } from './shape.ts';

/** A file of rows. */
export interface LogFile {
  readonly name: string;
  readonly path: string;
  readonly fromUs: bigint;
  readonly toUs: bigint;
}

const shapeName = 'shape.json';

/** All shapes of which there was ever a row, by their ids. */
export async function listShapes(directory: string): Promise<readonly LogShape[]> {
  const shapes: LogShape[] = [];
  for (const name of (await readdir(directory).catch(absent([]))).sort()) {
    const text = await readFile(join(directory, name, shapeName), 'utf8').catch(absent(undefined));
    if (text !== undefined) shapes.push(JSON.parse(text) as LogShape);
  }
  return shapes;
}

/** The files of a shape that count, the oldest first. */
export async function listRows(directory: string, shape: string): Promise<readonly LogFile[]> {
  const folder = join(directory, shape);
  const { names } = await listArchive(folder);
  return names
    .map((name) => ({ name, path: join(folder, name), ...timesOf(name) }))
    .sort((a, b) => (a.fromUs < b.fromUs ? -1 : a.fromUs > b.fromUs ? 1 : 0));
}

/** Makes the folder of a shape, with what describes it. */
export async function makeShapeFolder(directory: string, shape: LogShape): Promise<string> {
  const folder = join(directory, shape.id);
  const path = join(folder, shapeName);
  if ((await stat(path).catch(absent(undefined))) !== undefined) return folder;
  await mkdir(folder, { recursive: true });
  const draft = join(folder, draftName(shapeName));
  await writeFile(draft, JSON.stringify(shape));
  await makeDurable(draft, path, folder);
  return folder;
}

export function rowsName(fromUs: bigint, toUs: bigint, kind: 'push' | 'merged'): string {
  return `${fromUs}-${toUs}-${randomUUID().slice(0, 8)}.rows.${kind}.parquet`;
}

/** Bytes of all files under the log's folder, those that do not count yet or no longer included. */
export async function measureLog(directory: string): Promise<number> {
  let bytes = 0;
  for (const folder of await readdir(directory).catch(absent([]))) {
    for (const name of await readdir(join(directory, folder)).catch(absent([]))) {
      bytes += (await stat(join(directory, folder, name)).catch(absent({ size: 0 }))).size;
    }
  }
  return bytes;
}

function timesOf(name: string): { readonly fromUs: bigint; readonly toUs: bigint } {
  const [, from = '0', to = '0'] = /^(\d+)-(\d+)-/.exec(name) ?? [];
  return { fromUs: BigInt(from), toUs: BigInt(to) };
}

export function absent<T>(value: T) {
  return (error: NodeJS.ErrnoException): T => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return value;
    throw error;
  };
}
