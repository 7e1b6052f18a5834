/** A view while it is brought up to date: its lease, what its source has, and what of that was written before. */
import { createHash } from 'node:crypto';
import type { History } from '../offline/history.ts';
import { type LatestRule, latestRanges } from '../offline/latest.ts';
import type { Projection } from '../offline/projection/store.ts';
import { type LeaseSubject, takeLease } from '../online/lease.ts';
import { noteNewestEvent } from '../online/newest-events.ts';
import { createOnlineRecords } from '../online/records.ts';
import type { OnlineStore } from '../online/store.ts';
import { clockMarginUs, compileOnlineView, type OnlineView } from '../online/view.ts';
import type { RegistryDocument, SourceDocument, ViewDocument } from '../registry/document.ts';
import { type Digests, openDigests } from './digests.ts';
import { beginRun, endRun } from './view-state.ts';

/** Counts of a run; rows are those that the store is to hold, not all that the source has. */
export interface ViewProgress {
  readonly view: string;
  /** Source rows looked at, of how many. */
  readonly scanned: number;
  readonly of: number;
  readonly keys: number;
  readonly rows: number;
  /** Rows that were not in the store. */
  readonly written: number;
  /** Rows sent that it had, or that are less than what it has. */
  readonly unchanged: number;
  /** Rows not sent: nothing has changed in their range of keys. */
  readonly skipped: number;
  /** Rows of erased entities, not stored. */
  readonly erased: number;
  /** Ranges of keys that were sent. */
  readonly sentRanges: number;
}

export interface ViewRunOptions {
  readonly history: Pick<History, 'openProjection'>;
  readonly store: OnlineStore;
  readonly registry: RegistryDocument;
  /** Only rows that happened from then on: then nothing is skipped and the watermark stays. */
  readonly startUs?: bigint;
  readonly endUs: bigint;
  readonly nowUs: bigint;
}

export interface ViewRun {
  readonly online: OnlineView;
  readonly projection: Projection;
  readonly rule: LatestRule;
  /** Of what was written before; undefined where all is to be sent. */
  readonly digests: Digests | undefined;
  readonly progress: { -readonly [Name in keyof ViewProgress]: ViewProgress[Name] };
  /** Of the rows that the store is to hold, those that it has already included. */
  readonly newest: { eventUs: bigint | undefined };
  /** Aborts with the signal given, and when the lease is lost. */
  readonly signal: AbortSignal;
  /** Moves the watermark: all has been written. ABORTED where the store has lost what was written meanwhile. */
  finish(): Promise<ViewProgress>;
  /** Must be called once. */
  close(): Promise<void>;
}

export async function openViewRun(options: ViewRunOptions, view: ViewDocument, given: AbortSignal): Promise<ViewRun> {
  const { history, store, registry, startUs, endUs, nowUs } = options;
  const records = createOnlineRecords(store, registry.project);
  const lease = await takeLease(records, leaseOf(view.name), given);
  let projection: Projection | undefined;
  const close = async () => {
    projection?.release();
    await lease.release();
  };
  try {
    const signal = AbortSignal.any([given, lease.signal]);
    const source = registry.sources.find(({ name }) => name === view.source) as SourceDocument;
    projection = await history.openProjection(view, source, signal);
    const { epoch, watermark } = await beginRun(records, view.name, signal);
    const isWhole = startUs === undefined && endUs >= (watermark?.endUs ?? endUs);
    const online = compileOnlineView(view, registry);
    const header = describeWrites(epoch, online);
    const counts = { scanned: 0, keys: 0, rows: 0, written: 0, unchanged: 0, skipped: 0, erased: 0, sentRanges: 0 };
    const progress = { view: view.name, of: projection.rows, ...counts };
    const newest: ViewRun['newest'] = { eventUs: undefined };
    const { delayUs, needsCreated } = online.visibility;
    return {
      online,
      projection,
      rule: { delayUs, asKnown: needsCreated, startUs, endUs, visibleAtUs: nowUs - clockMarginUs },
      digests: isWhole ? await openDigests(store, registry.project, view.name, header, latestRanges, signal) : undefined,
      progress,
      newest,
      signal,
      async finish() {
        if (newest.eventUs !== undefined) await noteNewestEvent(records, view, { eventUs: newest.eventUs, nowUs }, signal);
        // Of what will have happened by a later end nobody knows yet.
        const isAhead = endUs > nowUs;
        const mark = { endUs: isAhead ? nowUs : endUs, finishedUs: BigInt(Date.now()) * 1000n };
        await endRun(records, view.name, epoch, isWhole ? mark : undefined, signal);
        return { ...progress };
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function leaseOf(view: string): LeaseSubject {
  return { name: view, work: `feature view "${view}" is being materialized`, details: { view } };
}

/** All that decides what is written for given rows: when it changes, everything is sent again. */
function describeWrites(epoch: string, { joinKeys, schema, visibility }: OnlineView): string {
  const { delayUs, needsAvailable, needsCreated } = visibility;
  const parts = [2, epoch, joinKeys, schema, String(delayUs), needsAvailable, needsCreated];
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}
