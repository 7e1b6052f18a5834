/** Files of an SQL source written anew: many small ones as one, or those that hold erased rows without them. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { joinTimes } from '../../definitions/times-us.ts';
import { rewriteAlone } from '../archive/alone.ts';
import type { RewriteReport } from '../archive/rewrite.ts';
import type { Engine, Session } from '../duckdb/engine.ts';
import { quoteFiles, quoteName, quoteText } from '../duckdb/sql.ts';
import {
  graceMs,
  hasReplaced,
  listTickFiles,
  mergeInto,
  removeUncounted,
  rewriteMerged,
  rewriteTick,
  type TickFile,
} from './tick-folder.ts';

export interface RewrittenTicks {
  readonly folder: string;
  /** The column that has the tick. */
  readonly tickColumn: string;
  /** A condition in SQL of rows that are erased, as it is now; undefined where none are. */
  readErased(): Promise<string | undefined>;
}

export interface MergeLimits {
  /** Small files of one tick each that are merged when there are so many. */
  readonly mergeAt: number;
  /** Bytes; files of as many are not small, and are merged no more. */
  readonly largest?: number;
}

/** Merges the small files where so many ticks have such of their own, without rows that are erased; removes what was replaced long ago. */
export async function mergeTicks(
  engine: Engine,
  { folder, ...of }: RewrittenTicks,
  { mergeAt, largest = 32 * 1024 * 1024 }: MergeLimits,
): Promise<void> {
  /** None where they are not many. */
  const listSmall = async (): Promise<readonly TickFile[]> => {
    const small: TickFile[] = [];
    const files = await listTickFiles(folder);
    if (files.filter(({ isMerged }) => !isMerged).length < mergeAt) return small;
    for (const file of files) if ((await stat(join(folder, file.name))).size < largest) small.push(file);
    return small.filter(({ isMerged }) => !isMerged).length < mergeAt ? [] : small;
  };
  const sinceMs = Date.now() - graceMs;
  if ((await listSmall()).length === 0 && !(await hasReplaced(folder, sinceMs))) return;
  await rewriteAlone(folder, async () => {
    await removeUncounted(folder, sinceMs);
    const small = await listSmall();
    if (small.length === 0) return;
    const paths = small.map(({ name }) => join(folder, name));
    await engine.session(undefined, (session) =>
      mergeInto(folder, small, async (path) => {
        // After the files: rows that come once an erasure is lifted must not be taken for what was erased.
        await copyRows(session, paths, path, of.tickColumn, await of.readErased());
      }),
    );
  });
}

/** Rewrites every file that holds erased rows, and removes at once all that counts no longer. */
export async function eraseTicks(engine: Engine, { folder, ...of }: RewrittenTicks): Promise<RewriteReport> {
  return await rewriteAlone(folder, async () => {
    const report: { -readonly [Name in keyof RewriteReport]: RewriteReport[Name] } = { files: 0, rows: 0 };
    const files = await listTickFiles(folder);
    const erased = await of.readErased();
    if (erased !== undefined) {
      await engine.session(undefined, async (session) => {
        for (const { name, ticks, isMerged } of files) {
          const path = join(folder, name);
          const { rows, timesUs } = await countRows(session, path, erased, of.tickColumn);
          if (rows === 0) continue;
          const write = (to: string) => copyRows(session, [path], to, of.tickColumn, erased);
          if (isMerged) await rewriteMerged(folder, name, undefined, write);
          else for (const tickUs of ticks) await rewriteTick(folder, tickUs, write);
          report.files += 1;
          report.rows += rows;
          report.timesUs = joinTimes(report.timesUs, timesUs);
        }
      });
    }
    await removeUncounted(folder, Number.POSITIVE_INFINITY);
    return report;
  });
}

/** Rows of files, but those of which a condition is true, in the order of their ticks. */
export async function copyRows(
  session: Session,
  from: readonly string[],
  to: string,
  tickColumn: string,
  without: string | undefined,
): Promise<void> {
  const where = without === undefined ? '' : ` where (${without}) is not true`;
  const rows = `select * from read_parquet(${quoteFiles(from)})${where} order by ${quoteName(tickColumn)}`;
  await session.rows(`copy (${rows}) to ${quoteText(to)} (format parquet)`);
}

async function countRows(session: Session, path: string, condition: string, tickColumn: string) {
  const tick = `epoch_us(${quoteName(tickColumn)})`;
  const [counted] = await session.rows(
    `select count(*) as rows, min(${tick}) as least, max(${tick}) as greatest from read_parquet(${quoteFiles([path])}) where (${condition}) is true`,
  );
  const { least, greatest } = counted as { readonly least: bigint | null; readonly greatest: bigint | null };
  const timesUs = least === null || greatest === null ? undefined : ([least, greatest] as const);
  return { rows: Number(counted?.rows), timesUs };
}
