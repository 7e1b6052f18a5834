/** Files of an archive written anew: many small ones as one, or those that hold erased rows without them. */
import { randomUUID } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { joinTimes, type TimesUs } from '../../definitions/times-us.ts';
import { compileErased, type ReadErasedRows } from './erased.ts';
import { makeDurable, removeReplaced, replaceFiles } from './folder.ts';
import { listArchive, shapeOf } from './manifest.ts';
import type { ArchiveWriter } from './writer.ts';

/** What is rewritten: the folder of a source, of which nobody else rewrites files meanwhile. */
export interface Rewriting {
  readonly source: string;
  readonly folder: string;
  readonly writer: ArchiveWriter;
  readonly readErased: ReadErasedRows;
}

export interface RewriteReport {
  /** Files that were replaced. */
  readonly files: number;
  /** Rows that are no more. */
  readonly rows: number;
  /** Between which event times these were, where that is known. */
  readonly timesUs?: TimesUs;
}

/** Larger files are merged no more. */
const largestMerged = 32 * 1024 * 1024;
/** A query may still be reading a replaced file that it found before. */
const graceMs = 10 * 60_000;

/** Merges the small files of each shape where there are so many, without rows that are erased. */
export async function mergeFiles({ source, folder, writer, readErased }: Rewriting, mergeAt: number): Promise<void> {
  await removeReplaced(folder, Date.now() - graceMs);
  const { names } = await listArchive(folder);
  const small = [];
  for (const name of names) if ((await stat(join(folder, name))).size < largestMerged) small.push(name);
  for (const [shape, group] of groupByShape(small)) {
    if (group.length < mergeAt) continue;
    const files = group.map((name) => join(folder, name));
    // After the files: what is pushed once an erasure is lifted must not be taken for what was erased.
    const erased = compileErased(await readErased(source), await writer.columnsOf(files[0] as string));
    const name = newName(shape);
    await writer.merge(join(folder, `${name}.draft`), files, erased);
    await makeDurable(join(folder, `${name}.draft`), join(folder, name), folder);
    await replaceFiles(folder, group, [name]);
  }
}

/** Rewrites every file that holds erased rows, and removes at once all that counts no longer. */
export async function eraseRows(
  { source, folder, writer, readErased }: Rewriting,
  eventTimestamp?: string,
): Promise<RewriteReport> {
  const { names } = await listArchive(folder);
  const erasedRows = await readErased(source);
  const replaced: string[] = [];
  const added: string[] = [];
  let rows = 0;
  let timesUs: TimesUs | undefined;
  for (const name of names) {
    const file = join(folder, name);
    const columns = await writer.columnsOf(file);
    const erased = compileErased(erasedRows, columns);
    const time = columns.find((column) => column === eventTimestamp);
    const counts = erased === undefined ? undefined : await writer.countRows(file, erased, time);
    if (erased === undefined || counts === undefined || counts.matching === 0) continue;
    rows += counts.matching;
    timesUs = joinTimes(timesUs, counts.timesUs);
    replaced.push(name);
    if (counts.matching === counts.all) continue;
    const rewritten = newName(shapeOf(name));
    await writer.merge(join(folder, `${rewritten}.draft`), [file], erased);
    await makeDurable(join(folder, `${rewritten}.draft`), join(folder, rewritten), folder);
    added.push(rewritten);
  }
  if (replaced.length > 0) await replaceFiles(folder, replaced, added);
  await removeReplaced(folder, Date.now());
  return { files: replaced.length, rows, timesUs };
}

function newName(shape: string): string {
  return `${randomUUID()}.${shape}.merged.parquet`;
}

function groupByShape(names: readonly string[]): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const name of names) groups.set(shapeOf(name), [...(groups.get(shapeOf(name)) ?? []), name]);
  return groups;
}
