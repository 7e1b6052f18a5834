/** What is to be told of the streams: how far each partition is, as the store has it, its log's end as it is now, and what this process did. */
import { setTimeout as sleep } from 'node:timers/promises';
import { formatInstantUs } from '../definitions/literal.ts';
import { asFeatureStoreError, FeatureStoreError, nearestName } from '../errors.ts';
import type { ShownPartition, ShownProcess, ShownStream } from '../http/stream-answers.ts';
import type { OnlineRecords } from '../online/records.ts';
import { readSpilledViews } from '../online/spill/spilled-views.ts';
import type { RegistryDocument, SourceDocument, StreamDocument } from '../registry/document.ts';
import { findNamed } from '../registry/references.ts';
import type { LogRange } from '../stream/log/log.ts';
import type { SourceLogs } from '../stream/open-logs.ts';
import { openProgress, type Progress } from '../stream/progress.ts';
import type { SourceStatus } from '../stream/status.ts';
import { createLagClock, type LagClock } from './lag-clock.ts';
import { formatOffset } from './stream-offset.ts';

export type { ShownStream };

export interface StreamStatusParts {
  readonly records: OnlineRecords;
  registry(): Pick<RegistryDocument, 'sources' | 'views'>;
  /** Logs to ask for their ends; what is opened is kept. */
  openLogs(source: SourceDocument): SourceLogs;
  /** Of the streams that this process reads; without it none is. */
  statuses?(): readonly SourceStatus[];
  nowUs?(): bigint;
}

export interface StreamStatus {
  /** All streams, in the order of their sources, or that of one. */
  read(source?: string, signal?: AbortSignal): Promise<ShownStream[]>;
  /** Whether what waits in a partition may have done so for longer than the seconds that are told, before this process looked. */
  isOlder(source: string, partition: string): boolean;
}

/** A log that does not answer delays nobody for longer. */
const patienceMs = 2500;
const rangesKeptMs = 2000;

type Ranges = ReadonlyMap<string, LogRange>;

interface OpenedLogs {
  readonly document: SourceDocument;
  readonly logs: SourceLogs;
  ranges?: { readonly atMs: number; readonly found: Promise<Ranges> };
}

export function createStreamStatus(parts: StreamStatusParts): StreamStatus {
  const opened = new Map<string, OpenedLogs>();
  const clock = createLagClock();
  const now = parts.nowUs ?? (() => BigInt(Date.now()) * 1000n);

  function logsOf(document: SourceDocument): OpenedLogs {
    const known = opened.get(document.name);
    if (known !== undefined && JSON.stringify(known.document) === JSON.stringify(document)) return known;
    const fresh = { document, logs: parts.openLogs(document) };
    opened.set(document.name, fresh);
    return fresh;
  }

  function declaredRanges(open: OpenedLogs): Promise<Ranges> {
    if (open.ranges !== undefined && performance.now() - open.ranges.atMs < rangesKeptMs) return open.ranges.found;
    const found = (async () => (await open.logs.openStream()?.log.ranges()) ?? new Map())();
    found.catch(() => {});
    open.ranges = { atMs: performance.now(), found };
    return found;
  }

  async function readOne(document: SourceDocument, signal?: AbortSignal): Promise<ShownStream> {
    const open = logsOf(document);
    const status = parts.statuses?.().find(({ source }) => source === document.name);
    const ranges = new Map(await open.logs.push.ranges(signal));
    let logError: string | null = null;
    try {
      for (const [partition, range] of await withPatience(declaredRanges(open))) ranges.set(partition, range);
    } catch (error) {
      logError = asFeatureStoreError(error).message;
    }
    const seen = new Map(status?.partitions.map((one) => [one.partition, one]));
    const progress = openProgress(parts.records, document.name);
    const names = [...new Set([...ranges.keys(), ...seen.keys()])];
    const progresses: ReadonlyMap<string, Progress | undefined> =
      logError !== null
        ? await progress.readAll(signal)
        : new Map(await Promise.all(names.map(async (name) => [name, await progress.read(name, signal)] as const)));
    const partitions = [...new Set([...names, ...progresses.keys()])].toSorted((a, b) =>
      a.localeCompare(b, 'en', { numeric: true }),
    );
    const viewNames = parts.registry().views.flatMap(({ source, name: view }) => (source === document.name ? [view] : []));
    const spilled = await readSpilledViews(parts.records, viewNames, signal);
    return {
      source: document.name,
      stream: document.stream === undefined ? null : describeStream(document.stream),
      views: viewNames,
      error: status?.error ?? null,
      log_error: logError,
      spilled_states: spilled.reduce((sum, one) => sum + (one?.keys ?? 0), 0),
      partitions: partitions.map((name) => {
        const range = ranges.get(name);
        const end = status?.error === undefined ? newest(range?.end, seen.get(name)?.end) : range?.end;
        return showPartition(document, name, progresses.get(name), range?.first, end, now(), clock);
      }),
      since_start: status === undefined ? null : showProcess(document, status),
    };
  }

  return {
    async read(name, signal) {
      const { sources } = parts.registry();
      const documents = name === undefined ? sources.filter(({ kind }) => kind === 'event') : [findEventSource(sources, name)];
      return await Promise.all(documents.map((document) => readOne(document, signal)));
    },
    isOlder: (source, partition) => clock.isOlder(logOf(source, partition)),
  };
}

/** Some brokers list ends that are older than the records that they gave; a log that was lost is an error. */
function newest(listed: bigint | undefined, seen: bigint | undefined): bigint | undefined {
  if (listed === undefined || seen === undefined) return listed ?? seen;
  return listed > seen ? listed : seen;
}

/** NOT_FOUND names the nearest; INVALID_ARGUMENT for one that is no event source. */
export function findEventSource(sources: RegistryDocument['sources'], name: string): SourceDocument {
  const source = findNamed(sources, 'source', name);
  if (source.kind === 'event') return source;
  throw new FeatureStoreError('INVALID_ARGUMENT', `"${name}" is no event source, and has no stream`, {
    details: { source: name },
  });
}

/** For people; a password is never part of it. */
export function describeStream(stream: StreamDocument): string {
  if (stream.kind === 'kafka') return `kafka topic ${stream.topic} at ${stream.brokers.join(', ')}`;
  const where = typeof stream.url === 'string' ? stream.url : `$${stream.url.env}`;
  return `redis streams ${stream.keys.join(', ')} at ${where}`;
}

async function withPatience<T>(work: Promise<T>): Promise<T> {
  const ending = new AbortController();
  const late = sleep(patienceMs, undefined, { signal: ending.signal, ref: false }).then(() => {
    throw new FeatureStoreError('UNAVAILABLE', `its log did not answer within ${patienceMs / 1000} s`);
  });
  late.catch(() => {});
  try {
    return await Promise.race([work, late]);
  } finally {
    ending.abort();
  }
}

function showPartition(
  source: SourceDocument,
  partition: string,
  progress: Progress | undefined,
  first: bigint | undefined,
  end: bigint | undefined,
  nowUs: bigint,
  clock: LagClock,
): ShownPartition {
  const { next, maxEventUs, counts } = progress ?? {};
  const start = next ?? (source.stream?.from === 'latest' ? end : first);
  const waitedUs =
    start === undefined || end === undefined ? undefined : clock.look(logOf(source.name, partition), end, start, nowUs);
  const freshness = maxEventUs === undefined ? null : Math.max(0, Number(nowUs - maxEventUs) / 1e6);
  const show = (offset: bigint | undefined) => (offset === undefined ? null : formatOffset(source, partition, offset));
  return {
    partition,
    next: show(next),
    end: show(end),
    lag_records: lagOf(source, partition, start, end),
    lag_seconds: waitedUs === undefined ? null : Number(waitedUs) / 1e6,
    max_event_time: maxEventUs === undefined ? null : formatInstantUs(maxEventUs),
    freshness_seconds: freshness,
    records: counts?.records ?? 0,
    events: counts?.events ?? 0,
    late: counts?.late ?? 0,
    set_aside: counts?.setAside ?? 0,
    duplicates: counts?.duplicates ?? 0,
  };
}

function logOf(source: string, partition: string): string {
  return JSON.stringify([source, partition]);
}

/** Offsets of a Redis stream are times, and do not say how many lie between two of them. */
function lagOf(source: SourceDocument, partition: string, next: bigint | undefined, end: bigint | undefined): number | null {
  if (next === undefined || end === undefined || next > end) return null;
  if (next === end) return 0;
  const isCounted = source.stream?.kind !== 'redisStream' || !source.stream.keys.includes(partition);
  return isCounted ? Number(end - next) : null;
}

function showProcess(source: SourceDocument, status: SourceStatus): ShownProcess {
  const { lastBatch } = status;
  const columns = [source.eventTimestamp, ...(source.events?.columns ?? []).map(({ name }) => name)];
  return {
    applied: status.applied,
    too_late: status.tooLate,
    erased: status.erased,
    batches: status.batches,
    batch_seconds: status.batchSeconds,
    last_batch: lastBatch === undefined ? null : { records: lastBatch.records, seconds: lastBatch.milliseconds / 1000 },
    largest_state_bytes: status.largestStateBytes,
    oversized_states: status.oversizedStates,
    ignored_fields: status.ignoredFields.map(({ name, events, partition, offset }) => ({
      name,
      events,
      partition,
      offset: formatOffset(source, partition, offset),
      did_you_mean: nearestName(name, columns) ?? null,
    })),
    other_ignored_fields: status.otherIgnoredFields,
  };
}
