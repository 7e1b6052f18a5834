/** What the online store says of a view beside its rows: how far it is materialized, and since when what was written is there. */
import { randomUUID } from 'node:crypto';
import { FeatureStoreError } from '../errors.ts';
import type { OnlineRecords } from '../online/records.ts';

/** Microseconds are text: JSON has no integers of their size. */
interface StoredState {
  /** Made anew with every store that has lost its content: digests of another one mean nothing. */
  readonly epoch: string;
  readonly endUs?: string;
  readonly finishedUs?: string;
}

export interface Watermark {
  /** Every row that happened until then, and was in the source when it was read, is in the store. */
  readonly endUs: bigint;
  readonly finishedUs: bigint;
}

const kind = 'materialized';

/** The watermarks of views, in one round trip; undefined for a view that was never materialized to an end. */
export async function readWatermarks(
  records: OnlineRecords,
  views: readonly string[],
  signal?: AbortSignal,
): Promise<(Watermark | undefined)[]> {
  const found = (await records.readMany(kind, views, signal)) as (StoredState | undefined)[];
  return found.map(readState);
}

/** Begins a run: the store's epoch, and the view's watermark. */
export async function beginRun(
  records: OnlineRecords,
  view: string,
  signal?: AbortSignal,
): Promise<{ readonly epoch: string; readonly watermark: Watermark | undefined }> {
  const state = await records.update<StoredState>(kind, view, (current) => current ?? { epoch: randomUUID() }, signal);
  return { epoch: (state as StoredState).epoch, watermark: readState(state) };
}

/**
 * Ends a run: moves the watermark forward, never back. ABORTED where the store is not the one in which the run began: it lost what was
 * written.
 */
export async function endRun(
  records: OnlineRecords,
  view: string,
  epoch: string,
  mark: Watermark | undefined,
  signal?: AbortSignal,
): Promise<void> {
  await records.update<StoredState>(
    kind,
    view,
    (current) => {
      if (current?.epoch !== epoch) throw lostContent(view);
      if (mark === undefined || (current.endUs !== undefined && BigInt(current.endUs) > mark.endUs)) return current;
      return { epoch, endUs: String(mark.endUs), finishedUs: String(mark.finishedUs) };
    },
    signal,
  );
}

/** What was written of a view before is no longer known: the next run sends all of it, and one that is running begins anew. */
export async function renewEpoch(records: OnlineRecords, view: string, signal?: AbortSignal): Promise<void> {
  await records.update<StoredState>(kind, view, (current) => current && { ...current, epoch: randomUUID() }, signal);
}

function readState(state: StoredState | undefined): Watermark | undefined {
  if (state?.endUs === undefined) return undefined;
  return { endUs: BigInt(state.endUs), finishedUs: BigInt(state.finishedUs as string) };
}

function lostContent(view: string): FeatureStoreError {
  return new FeatureStoreError(
    'ABORTED',
    `the online store was emptied while feature view "${view}" was materialized; materialize it again`,
    { details: { view, reason: 'store_emptied' } },
  );
}
