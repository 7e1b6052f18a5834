/**
 * Up to which offset of which partition the files of an archive hold events. Batches of a partition are archived one after another, so that
 * one with events beyond a batch's begin says that the store has lost what it knew of an earlier one, and the batch comes again.
 */
import { join } from 'node:path';
import { quoteFiles, quoteName, quoteText } from '../duckdb/sql.ts';
import { originColumns } from './archived-columns.ts';

/** Where a batch of events begins, under the name that its partition is archived by. */
export interface BatchBegin {
  readonly partition: string;
  readonly offset: bigint;
}

export interface Coverage {
  /** A condition in SQL that is true of events which files, by their names, have already; undefined where they have none from there on. */
  compileArchived(folder: string, names: readonly string[], begin: BatchBegin): Promise<string | undefined>;
}

const partition = quoteName(originColumns.partition.name);
const offset = quoteName(originColumns.offset.name);

/** File -> partition -> the greatest offset. */
export type GreatestOffsets = ReadonlyMap<string, ReadonlyMap<string, bigint>>;

/** Reads each file once. */
export function createCoverage(readOffsets: (files: readonly string[]) => Promise<GreatestOffsets>): Coverage {
  /** By folder and file: partition -> greatest offset. */
  const known = new Map<string, Map<string, ReadonlyMap<string, bigint>>>();
  return {
    async compileArchived(folder, names, begin) {
      const before = known.get(folder);
      const unknown = names.filter((name) => before?.has(name) !== true);
      const read = await readOffsets(unknown.map((name) => join(folder, name)));
      const now = new Map(names.map((name) => [name, before?.get(name) ?? read.get(join(folder, name)) ?? new Map()]));
      known.set(folder, now);
      const there = names.filter((name) => (now.get(name)?.get(begin.partition) ?? -1n) >= begin.offset);
      if (there.length === 0) return undefined;
      const files = `read_parquet(${quoteFiles(there.map((name) => join(folder, name)))}, union_by_name = true)`;
      return `${offset} in (select ${offset} from ${files} where ${partition} = ${quoteText(begin.partition)} and ${offset} >= ${begin.offset})`;
    },
  };
}

/** What it is read by: a row for each file and partition. */
export function compileGreatestOffsets(files: readonly string[]): string {
  const rows = `read_parquet(${quoteFiles(files)}, union_by_name = true, filename = '~ file ~')`;
  return `select ${quoteName('~ file ~')}, ${partition}, cast(max(${offset}) as varchar) from ${rows} group by all`;
}
