/** Brings views with the same join keys up to date in one pass over their keys: what is at a key is looked at and replaced once for all. */
import type { OnlineStore } from '../online/store.ts';
import { createOnlineWriter, type KeyArrivals } from '../online/write/writer.ts';
import { type ChangedRange, joinArrivals, readTogether } from './changed-ranges.ts';
import type { ViewProgress, ViewRun } from './view-run.ts';

export interface PassOptions {
  readonly store: OnlineStore;
  readonly project: string;
  readonly nowUs: bigint;
  onProgress?(progress: ViewProgress): void;
}

/** Keys sent at once. */
const batchKeys = 16_384;

/** Reads the next ranges while the last ones are being written. */
export async function writeViews({ store, project, nowUs, onProgress }: PassOptions, runs: readonly ViewRun[]): Promise<void> {
  const signal = AbortSignal.any(runs.map((run) => run.signal));
  const writer = await createOnlineWriter(store, project).open(
    runs.map(({ online }) => online),
    signal,
  );
  const tell = () => {
    for (const { progress } of runs) onProgress?.({ ...progress });
  };
  const send = async (arriving: readonly KeyArrivals[], sent: readonly ChangedRange[]) => {
    const counts = await writer.write(arriving, nowUs, signal);
    for (const [at, run] of runs.entries()) {
      const own = sent.filter((range) => range.run === run);
      await run.digests?.record(new Map(own.map(({ range, digest }) => [range, digest])), signal);
      const { written = 0, unchanged = 0, erased = 0 } = counts[at] ?? {};
      run.progress.written += written;
      run.progress.unchanged += unchanged;
      run.progress.erased += erased;
      run.progress.sentRanges += own.length;
    }
    tell();
  };
  let sending: Promise<void> = Promise.resolve();
  let arriving: KeyArrivals[] = [];
  let sent: ChangedRange[] = [];
  const flush = async () => {
    await sending;
    sending = send(arriving, sent);
    // It is awaited later, and its failure heard of then.
    sending.catch(() => {});
    arriving = [];
    sent = [];
  };
  try {
    for await (const ranges of readTogether(project, runs, writer.targets, signal)) {
      for (const one of joinArrivals(ranges)) arriving.push(one);
      sent.push(...ranges);
      if (arriving.length >= batchKeys) await flush();
    }
    if (sent.length > 0) await flush();
  } finally {
    await sending.catch(() => {});
  }
  await sending;
  tell();
}
