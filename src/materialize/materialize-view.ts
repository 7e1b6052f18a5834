/** Brings one view up to date in the online store: ranges of keys whose rows are those written before are not sent again. */
import { createHash } from 'node:crypto';
import type { History } from '../offline/history.ts';
import { latestRanges, readLatest } from '../offline/latest.ts';
import type { Projection } from '../offline/projection/store.ts';
import { createOnlineRecords } from '../online/records.ts';
import type { OnlineStore } from '../online/store.ts';
import { compileOnlineView, type OnlineView } from '../online/view.ts';
import { type Arrivals, createOnlineWriter } from '../online/write/writer.ts';
import type { RegistryDocument, SourceDocument, ViewDocument } from '../registry/document.ts';
import { type Digests, openDigests } from './digests.ts';
import { compileRangeEncoder } from './encode-range.ts';
import { takeLease } from './lease.ts';
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

export interface ViewRun {
  readonly history: Pick<History, 'openProjection'>;
  readonly store: OnlineStore;
  readonly registry: RegistryDocument;
  readonly view: ViewDocument;
  /** Only rows that happened from then on: then nothing is skipped and the watermark stays. */
  readonly startUs?: bigint;
  readonly endUs: bigint;
  readonly nowUs: bigint;
  onProgress?(progress: ViewProgress): void;
}

/** Clocks of processes may be apart: a reader may not see a row yet that is visible here, and then needs the one before. */
const clockMarginUs = 60_000_000n;
/** Keys sent at once. */
const batchKeys = 16_384;

export async function materializeView(run: ViewRun, signal: AbortSignal): Promise<ViewProgress> {
  const { store, registry, view } = run;
  const records = createOnlineRecords(store, registry.project);
  const lease = await takeLease(records, view.name, signal);
  const ending = AbortSignal.any([signal, lease.signal]);
  try {
    const source = registry.sources.find(({ name }) => name === view.source) as SourceDocument;
    const projection = await run.history.openProjection(view, source, ending);
    try {
      const { epoch, watermark } = await beginRun(records, view.name, ending);
      const isWhole = run.startUs === undefined && run.endUs >= (watermark?.endUs ?? run.endUs);
      const online = compileOnlineView(view, registry);
      const header = describeWrites(epoch, online);
      const digests = isWhole ? await openDigests(store, registry.project, view.name, header, latestRanges, ending) : undefined;
      const progress = await writeRanges({ ...run, projection, online, digests }, ending);
      const mark = { endUs: run.endUs, finishedUs: BigInt(Date.now()) * 1000n };
      await endRun(records, view.name, epoch, isWhole ? mark : undefined, ending);
      return progress;
    } finally {
      projection.release();
    }
  } finally {
    await lease.release();
  }
}

/** All that decides what is written for given rows: when it changes, everything is sent again. */
function describeWrites(epoch: string, { joinKeys, schema, visibility }: OnlineView): string {
  const { delayUs, needsAvailable, needsCreated } = visibility;
  const parts = [2, epoch, joinKeys, schema, String(delayUs), needsAvailable, needsCreated];
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}

interface RangeRun extends ViewRun {
  readonly projection: Projection;
  readonly online: OnlineView;
  readonly digests: Digests | undefined;
}

/** Reads the next ranges while the last ones are being written. */
async function writeRanges(run: RangeRun, signal: AbortSignal): Promise<ViewProgress> {
  const { projection, online, digests, nowUs } = run;
  const writer = createOnlineWriter(run.store, run.registry.project);
  const target = await writer.open(online, signal);
  const openBlock = compileRangeEncoder(run.registry.project, online, target.schemaId);
  const counts = { scanned: 0, keys: 0, rows: 0, written: 0, unchanged: 0, skipped: 0, erased: 0, sentRanges: 0 };
  const progress = (): ViewProgress => ({ view: online.name, of: projection.rows, ...counts });
  const send = async (arrivals: readonly Arrivals[], sent: ReadonlyMap<number, string>) => {
    const [result] = await writer.writeEncoded([target], arrivals, nowUs, signal);
    await digests?.record(sent, signal);
    counts.written += result?.written ?? 0;
    counts.unchanged += result?.unchanged ?? 0;
    counts.erased += result?.erased ?? 0;
    counts.sentRanges += sent.size;
    run.onProgress?.(progress());
  };
  let sending: Promise<void> = Promise.resolve();
  let arrivals: Arrivals[] = [];
  let sent = new Map<number, string>();
  const flush = async () => {
    await sending;
    sending = send(arrivals, sent);
    // It is awaited later, and its failure heard of then.
    sending.catch(() => {});
    arrivals = [];
    sent = new Map();
  };
  try {
    for await (const block of readLatest(projection, ruleOf(run), signal)) {
      const encoder = openBlock(block);
      counts.scanned = block.scanned;
      for (const range of block.ranges) {
        counts.keys += range.keys;
        counts.rows += range.to - range.from;
        encoder.encode(range);
        const digest = digests === undefined ? '' : encoder.digest();
        if (digests?.has(range.range, digest) === true) counts.skipped += range.to - range.from;
        else {
          for (const arriving of encoder.take()) arrivals.push(arriving);
          sent.set(range.range, digest);
          if (arrivals.length >= batchKeys) await flush();
        }
      }
    }
    if (sent.size > 0) await flush();
  } finally {
    await sending.catch(() => {});
  }
  await sending;
  counts.scanned = projection.rows;
  run.onProgress?.(progress());
  return progress();
}

function ruleOf({ online, startUs, endUs, nowUs }: RangeRun) {
  const { delayUs, needsCreated } = online.visibility;
  return { delayUs, asKnown: needsCreated, startUs, endUs, visibleAtUs: nowUs - clockMarginUs };
}
