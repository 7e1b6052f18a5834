/** Lets a source's partitions be read on from elsewhere: the way out where a log is shorter than what was read of it, or has lost records. */
import { FeatureStoreError } from '../errors.ts';
import type { OnlineRecords } from '../online/records.ts';
import type { SourceDocument } from '../registry/document.ts';
import type { LogRange, StreamLog } from './log/log.ts';
import { atFirst, noCounts, openProgress, type Progress } from './progress.ts';

export interface ResetOptions {
  /** By partition the offset to read on from, others stay where they are; or the first that each still has, or its end. */
  readonly from: 'earliest' | 'latest' | Readonly<Record<string, bigint>>;
  /** The log was made anew: its offsets say nothing of what was read before. A partition that ends before its progress is so anyway. */
  readonly isNewLog?: boolean;
}

export interface ResetPartition {
  readonly partition: string;
  /** undefined where nothing of it was read. */
  readonly before: bigint | undefined;
  readonly next: bigint;
  readonly isNewLog: boolean;
}

/**
 * FAILED_PRECONDITION where events would be read again that have been counted. A source that keeps no archive is read again from the
 * first record of every partition, whatever is asked for: its states, made anew, have nothing of what it read before.
 */
export async function resetProgress(
  records: OnlineRecords,
  document: Pick<SourceDocument, 'name' | 'archive'>,
  log: StreamLog,
  { from, isNewLog = false }: ResetOptions,
  signal: AbortSignal,
): Promise<readonly ResetPartition[]> {
  const source = document.name;
  const isRewound = document.archive === false;
  const ranges = await log.ranges(signal);
  const progress = openProgress(records, source);
  const known = await progress.readAll(signal);
  const resets: (ResetPartition & { readonly progress: Progress })[] = [];
  const asked = typeof from === 'string' ? [...ranges.keys()] : Object.keys(from);
  for (const partition of new Set(isRewound ? [...asked, ...ranges.keys()] : asked)) {
    const range = ranges.get(partition);
    if (range === undefined) throw noPartition(source, partition, ranges);
    const wanted = typeof from === 'string' ? (from === 'earliest' ? range.first : range.end) : from[partition];
    const next = isRewound ? range.first : (wanted as bigint);
    checkRange(source, partition, wanted ?? next, range);
    const there = known.get(partition);
    const isNew = there !== undefined && (isNewLog || (there.pending?.to ?? there.next) > range.end);
    // Before the end of what was read a log that is the same has nothing new.
    if (there !== undefined && !isNew && !isRewound && next < there.next)
      throw countedAlready(source, partition, next, there.next);
    const isOther = isNew || isRewound;
    const pending = isOther ? undefined : there?.pending;
    // Its events may be in the archive under its name: only as the same batch are they there once.
    if (pending !== undefined && next > (there as Progress).next && next < pending.to) throw begun(source, partition, pending.to);
    resets.push({
      partition,
      before: there?.next === atFirst ? undefined : there?.next,
      next,
      isNewLog: isNew,
      progress: {
        epoch: (there?.epoch ?? 0) + (isOther ? 1 : 0),
        next,
        maxEventUs: isOther ? undefined : there?.maxEventUs,
        pending: next === there?.next ? pending : undefined,
        counts: there?.counts ?? noCounts,
      },
    });
  }
  for (const { partition, progress: reset } of resets) await progress.reset(partition, reset, signal);
  return resets.map(({ progress: _, ...report }) => report);
}

function checkRange(source: string, partition: string, next: bigint, { first, end }: LogRange): void {
  if (next >= first && next <= end) return;
  throw new FeatureStoreError(
    'INVALID_ARGUMENT',
    `source "${source}": partition "${partition}" holds offsets ${first} to ${end}, and ${next} is none of them`,
    { details: { source, partition, first: String(first), end: String(end) } },
  );
}

function countedAlready(source: string, partition: string, next: bigint, read: bigint): FeatureStoreError {
  return new FeatureStoreError(
    'FAILED_PRECONDITION',
    `source "${source}": partition "${partition}" has been read up to ${read}, and what lies between ${next} and there counts already; to make states anew run: featherflight replay ${source}; if the log was made anew, add --new-log`,
    { details: { source, partition, next: String(read) } },
  );
}

function begun(source: string, partition: string, to: bigint): FeatureStoreError {
  return new FeatureStoreError(
    'FAILED_PRECONDITION',
    `source "${source}": partition "${partition}" has a batch up to ${to} that was begun: read on from where it is, or from ${to} on`,
    { details: { source, partition, to: String(to) } },
  );
}

function noPartition(source: string, partition: string, ranges: ReadonlyMap<string, LogRange>): FeatureStoreError {
  const names = [...ranges.keys()];
  return new FeatureStoreError('NOT_FOUND', `source "${source}" has no partition "${partition}"; it has ${names.join(', ')}`, {
    details: { source, partition, partitions: names },
  });
}
