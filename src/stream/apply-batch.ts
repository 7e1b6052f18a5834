/**
 * Applies a claimed batch: its events are judged, archived, applied to the states of their keys, and the progress moves on. Whoever does it
 * again decides alike (rule 6.7).
 */

import type { LiteralValue } from '../definitions/literal.ts';
import type { Logger, Tracer } from '../observe.ts';
import type { Archive } from '../offline/archive/archive.ts';
import type { History } from '../offline/history.ts';
import { createOnlineSchemas } from '../online/encoding/schemas.ts';
import { createOnlineRecords } from '../online/records.ts';
import type { OnlineStore } from '../online/store.ts';
import type { ViewEvents } from '../online/windows/key-changes.ts';
import { createEventWriter } from '../online/windows/write-events.ts';
import type { DecodedEvents } from './decode/decoded-events.ts';
import { openEventIds } from './event-ids.ts';
import { readHandover } from './handover.ts';
import { isAhead, type JudgedEvents, judgeEvents } from './judge-events.ts';
import type { KnownPartitions } from './known-partitions.ts';
import { epochName, isSameBatch, openProgress, type Progress, splitEpochName } from './progress.ts';
import type { ReadyView } from './ready-views.ts';
import type { StatusKeeper } from './status.ts';
import { taken, wasReset } from './stream-failures.ts';
import type { StreamSource } from './stream-source.ts';

export interface BatchParts {
  readonly store: OnlineStore;
  readonly project: string;
  readonly history: Pick<History, 'readEvents' | 'findTableIds'> & { readonly archive: Archive };
  readonly logger: Logger;
  /** Where batches are traced. */
  readonly tracer?: Tracer;
  nowUs(): bigint;
}

/** A claimed batch: the progress with it, and what its records were decoded to. */
export interface ClaimedEvents {
  readonly partition: string;
  readonly from: Progress;
  readonly decoded: DecodedEvents;
  readonly records: number;
}

/** Gives the progress after it, as the store has it; ABORTED where somebody took the batch over. */
export type ApplyBatch = (batch: ClaimedEvents, views: readonly ReadyView[], signal: AbortSignal) => Promise<Progress>;

export function createBatchApplier(
  parts: BatchParts,
  { document, latenessUs }: StreamSource,
  known: KnownPartitions,
  status: StatusKeeper,
): ApplyBatch {
  const { store, project, history, nowUs } = parts;
  const records = createOnlineRecords(store, project);
  const progress = openProgress(records, document.name);
  const ids = openEventIds(store, project, document.name);
  const scope = { store, project, schemas: createOnlineSchemas(store, project) };
  const writer = createEventWriter(scope, { logger: parts.logger });

  async function apply(batch: ClaimedEvents, views: readonly ReadyView[], signal: AbortSignal): Promise<Progress> {
    const { partition, from, decoded, records: count } = batch;
    const startMs = performance.now();
    const { to, clockUs } = from.pending as NonNullable<Progress['pending']>;
    const origin = epochName(partition, from.epoch);
    const repeated = await decideRepeated(batch, origin, signal);
    const judged = judgeEvents(decoded, {
      eventTimestamp: document.eventTimestamp,
      clockUs,
      latenessUs,
      maxEventUs: from.maxEventUs,
      fromUs: document.archive === false ? await readHandover(records, document.name, signal) : undefined,
      repeated,
    });
    const batchKey = `${origin}/${from.next}-${to}`;
    if (judged.setAside.length > 0) {
      await history.archive.setAside.keep(document, { partition: origin, from: from.next, to, clockUs, events: judged.setAside });
    }
    if (judged.rows.length > 0) await applyEvents(origin, from, judged, decoded, batchKey, views, signal);
    const late = judged.late.filter(Boolean).length;
    const done = await progress.commit(
      partition,
      from,
      {
        epoch: from.epoch,
        next: to,
        maxEventUs: judged.maxEventUs,
        appliedUs: nowUs(),
        pending: undefined,
        counts: {
          records: from.counts.records + count,
          events: from.counts.events + judged.rows.length,
          late: from.counts.late + late,
          setAside: from.counts.setAside + judged.setAside.length,
          duplicates: from.counts.duplicates + judged.duplicates,
        },
      },
      signal,
    );
    status.applied(partition, { records: count, milliseconds: performance.now() - startMs, ignored: decoded.ignored });
    return done;
  }

  /** Decided once, before anything is done: the archive has the batch as it was judged first. */
  async function decideRepeated(
    { partition, from, decoded }: ClaimedEvents,
    origin: string,
    signal: AbortSignal,
  ): Promise<ReadonlySet<number>> {
    const among = decoded.offsets.length;
    if (document.events?.eventId === undefined || among === 0) return new Set();
    const { clockUs, repeated: known } = from.pending as NonNullable<Progress['pending']>;
    if (known?.among === among) return known.places;
    const places = await findRepeated(origin, from, decoded, clockUs, signal);
    const { pending } = await progress.decide(partition, from, { among, places }, signal);
    if (!isSameBatch(pending, from.pending) || pending?.repeated === undefined) throw taken(document.name, partition);
    return pending.repeated.places;
  }

  /** Events whose ids came before: in the stream, or in tables of history as far as states were filled from them. */
  async function findRepeated(
    origin: string,
    { maxEventUs }: Progress,
    decoded: DecodedEvents,
    clockUs: bigint,
    signal: AbortSignal,
  ): Promise<ReadonlySet<number>> {
    const column = document.events?.eventId;
    if (column === undefined) return new Set();
    const timesUs = decoded.columns[document.eventTimestamp] as readonly bigint[];
    // An event that is set aside is none: the same one with its time put right may come.
    const ofEvent = (id: LiteralValue, row: number) => (isAhead(timesUs[row] as bigint, clockUs) ? null : id);
    const given = (decoded.columns[column] as readonly LiteralValue[]).map(ofEvent);
    const repeated = await ids.claim(origin, { ids: given, offsets: decoded.offsets, timesUs }, signal);
    const lookUp = async (isOld: (timeUs: bigint) => boolean, find: (old: LiteralValue[]) => Promise<ReadonlySet<number>>) => {
      const old = [...timesUs.keys()].filter((row) => isOld(timesUs[row] as bigint) && !repeated.has(row));
      for (const place of await find(old.map((row) => given[row] as LiteralValue))) repeated.add(old[place] as number);
    };
    // What is late counts nowhere but in training, which compares ids itself.
    const acceptedUs = maxEventUs === undefined ? undefined : maxEventUs - latenessUs;
    const forgottenUs = document.archive === false ? undefined : await ids.forgottenUs(signal);
    if (forgottenUs !== undefined) {
      const isOld = (timeUs: bigint) => timeUs < forgottenUs && (acceptedUs === undefined || timeUs >= acceptedUs);
      await lookUp(isOld, (old) => history.archive.findIds(document, old));
    }
    // A history that others write counts up to the hand-over, and the stream from there on, whatever stands in both.
    const newestUs = document.archive === false ? undefined : await readHandover(records, document.name, signal);
    if (newestUs === undefined) return repeated;
    await lookUp(
      (timeUs) => timeUs <= newestUs,
      (old) => history.findTableIds(document, old, signal),
    );
    return repeated;
  }

  async function applyEvents(
    origin: string,
    from: Progress,
    judged: JudgedEvents,
    decoded: DecodedEvents,
    batchKey: string,
    views: readonly ReadyView[],
    signal: AbortSignal,
  ): Promise<void> {
    const { archive } = history;
    const isLate = judged.late.some(Boolean);
    const served = views.filter(({ window }) => window.features.length > 0);
    const read = async (file: string) =>
      await Promise.all(served.map(({ view }) => history.readEvents(view, document, file, signal)));
    const all = pickEvents(decoded, judged.rows, judged.late, origin);
    const seen = await archive.stageEvents(document, all, async (file) => {
      const events = isLate ? undefined : await read(file);
      if (document.archive !== false) await archive.keep(document, batchKey, file, { partition: origin, offset: from.next });
      return events;
    });
    const onTime = judged.rows.filter((_, at) => !judged.late[at]);
    if (onTime.length === 0) return;
    const events =
      seen ??
      (await archive.stageEvents(
        document,
        pickEvents(
          decoded,
          onTime,
          onTime.map(() => false),
          origin,
        ),
        read,
      ));
    await write(
      origin,
      from,
      events.map((one, at) => ({ view: (served[at] as (typeof served)[number]).window, ...one })),
      signal,
    );
  }

  async function write(origin: string, from: Progress, events: readonly ViewEvents[], signal: AbortSignal): Promise<void> {
    const { partition, epoch } = splitEpochName(origin);
    const { to } = from.pending as NonNullable<Progress['pending']>;
    const counts = await writer.apply(
      {
        partition: origin,
        next: to,
        nowUs: nowUs(),
        acceptedFromUs: known.acceptedFromUs(),
        isCommitted: known.isCommitted,
        events,
        readCommitted: async (abort) => {
          const there = await progress.read(partition, abort);
          if (there?.epoch !== epoch) {
            throw wasReset(document.name);
          }
          // States may by then hold features that were filled meanwhile, of which this batch knows nothing.
          if (there.next !== from.next || !isSameBatch(there.pending, from.pending)) throw taken(document.name, partition);
          return there.next;
        },
      },
      signal,
    );
    status.wrote(counts);
  }

  return apply;
}

function pickEvents(decoded: DecodedEvents, rows: readonly number[], late: readonly boolean[], partition: string) {
  if (rows.length === decoded.offsets.length) return { columns: decoded.columns, offsets: decoded.offsets, late, partition };
  const pick = <T>(all: readonly T[]) => rows.map((row) => all[row] as T);
  const columns = Object.fromEntries(Object.entries(decoded.columns).map(([name, values]) => [name, pick(values)]));
  return { columns, offsets: pick(decoded.offsets), late, partition };
}
