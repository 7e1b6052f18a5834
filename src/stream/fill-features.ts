/** Fills features of stream views from history, and hands them over to the stream: no event is missing and none counts twice. */
import { FeatureStoreError } from '../errors.ts';
import { takeLease } from '../online/lease.ts';
import { createOnlineRecords, type OnlineRecords } from '../online/records.ts';
import { readReadiness, withdrawReadiness, writeReadiness } from '../online/windows/readiness.ts';
import type { SourceDocument } from '../registry/document.ts';
import { tablesOf } from '../registry/source-tables.ts';
import { openEventIds } from './event-ids.ts';
import { type EventRange, type FillParts, type FillProgress, fillView, type ViewReport } from './fill-view.ts';
import { whileFilling } from './filling.ts';
import { writeHandover } from './handover.ts';
import { atFirst, epochName, openProgress } from './progress.ts';
import type { StreamSource } from './stream-source.ts';

export type { EventRange, FillProgress } from './fill-view.ts';

export interface FillOptions {
  /** Also what is filled already; default only what is not. */
  readonly all?: boolean;
  /**
   * Only keys with an event from the first instant on and before the second; default every key, as it always is where tables are handed
   * over to the stream at an instant, which is one for all.
   */
  readonly touched?: EventRange;
  readonly signal: AbortSignal;
  /** Told when a view begins, and from time to time as its states are written. */
  onProgress?(progress: FillProgress): void;
}

/** What was filled. */
export interface FillReport {
  readonly views: readonly ViewReport[];
}

/** Fills what is not filled; nobody may be applying events of the source in this process meanwhile. */
export async function fillFeatures(
  parts: FillParts,
  source: StreamSource,
  { all = false, touched = {}, signal, onProgress }: FillOptions,
): Promise<FillReport> {
  const { store, project } = parts;
  const records = createOnlineRecords(store, project);
  const { document } = source;
  const { name } = document;
  if ((await listUnfilled(records, source, all, signal)).length === 0) return { views: [] };
  const lease = await takeLease(
    records,
    { name: `filling ${name}`, work: `features of source "${name}" are being filled` },
    signal,
  );
  try {
    // What streams bring of a history that others write is not kept, and ids say what tables had: both go for all features at once.
    const isForeign = document.archive === false;
    const isTogether = isForeign || (document.events?.eventId !== undefined && tablesOf(document).length > 0);
    const unfilled = await listUnfilled(records, source, all || isTogether, signal);
    return await whileFilling(records, name, async (check) => {
      const before = await takeOverAll(records, name, signal);
      const abort = AbortSignal.any([signal, lease.signal]);
      if (isTogether) for (const { window } of source.views) await withdrawReadiness(records, window.name, signal);
      const untilUs = isForeign ? await rewind(parts, records, document, abort) : undefined;
      const tablesUs = isTogether && !isForeign ? await parts.history.newestTableEventUs(document) : undefined;
      if (isTogether && !isForeign) await writeHandover(records, name, tablesUs, abort);
      const views = [];
      for (const { view, features } of unfilled) {
        const place = { source: name, view: view.document.name, done: views.length, of: unfilled.length };
        const tell = (now: Pick<FillProgress, 'phase' | 'events' | 'keys'>) => onProgress?.({ ...place, ...now });
        const fill = {
          before,
          untilUs,
          isForAll: all || (isForeign && before.size > 0),
          touched: isTogether ? {} : touched,
          check,
          tell,
          signal: abort,
        };
        views.push(await fillView(parts, document, view, features, fill));
        if (tablesUs !== undefined && tablesUs !== (await parts.history.newestTableEventUs(document))) throw grown(name);
        check();
        await writeReadiness(records, view.window, (hash) => features.some((feature) => feature.hash === hash), signal);
      }
      return { views };
    });
  } finally {
    await lease.release();
  }
}

function grown(source: string): FeatureStoreError {
  return new FeatureStoreError(
    'ABORTED',
    `tables of source "${source}" have grown while features were filled from them; begin again`,
    {
      details: { source },
    },
  );
}

async function listUnfilled(records: OnlineRecords, { views }: StreamSource, all: boolean, signal: AbortSignal) {
  const readiness = await readReadiness(
    records,
    views.map(({ window }) => window.name),
    signal,
  );
  return views.flatMap((view, at) => {
    const features = view.window.features.filter(({ name, hash }) => all || readiness[at]?.[name] !== hash);
    return features.length === 0 ? [] : [{ view, features }];
  });
}

/** From here on nobody can commit a batch that was begun before: the next offset of every partition, under the name that it is archived by. */
async function takeOverAll(records: OnlineRecords, source: string, signal: AbortSignal): Promise<ReadonlyMap<string, bigint>> {
  const progress = openProgress(records, source);
  const before = new Map<string, bigint>();
  for (const partition of (await progress.readAll(signal)).keys()) {
    const { epoch, next } = await progress.takeOver(partition, signal);
    before.set(epochName(partition, epoch), next);
  }
  return before;
}

/**
 * The streams of a history that others write begin anew, and count from where that history ends now: their logs must reach back to there.
 * What was counted before counts again: no state may be ready until it has been made anew. Gives that instant.
 */
async function rewind(
  { store, project, history }: FillParts,
  records: OnlineRecords,
  document: SourceDocument,
  signal: AbortSignal,
): Promise<bigint | undefined> {
  const { name } = document;
  const untilUs = await history.newestEventUs(document);
  await writeHandover(records, name, untilUs, signal);
  const progress = openProgress(records, name);
  for (const [partition, { epoch, counts }] of await progress.readAll(signal)) {
    await progress.reset(
      partition,
      { epoch: epoch + 1, next: atFirst, maxEventUs: undefined, pending: undefined, counts },
      signal,
    );
  }
  await openEventIds(store, project, name).forget(undefined, signal);
  return untilUs;
}
