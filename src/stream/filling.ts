/** While features of a source are filled from history nobody applies events of it: a record that every process looks at before a batch. */
import { FeatureStoreError } from '../errors.ts';
import type { OnlineRecords } from '../online/records.ts';

interface Filling {
  /** Milliseconds since the epoch; told anew as long as it goes on. */
  readonly untilMs: number;
}

const kind = 'filling';
const lengthMs = 60_000;
const renewMs = 15_000;

/** UNAVAILABLE while the source's features are filled. */
export async function refuseWhileFilled(records: OnlineRecords, source: string, signal?: AbortSignal): Promise<void> {
  const filling = (await records.read(kind, source, signal)) as Filling | undefined;
  if (filling === undefined || filling.untilMs < Date.now()) return;
  throw new FeatureStoreError(
    'UNAVAILABLE',
    `features of source "${source}" are being filled from history; its stream goes on afterwards`,
    {
      details: { source },
    },
  );
}

/**
 * Does something while nobody begins a batch of the source. `check` throws ABORTED once others may have gone on, since this process was
 * asleep or could not tell them: what it does must then not be done.
 */
export async function whileFilling<T>(
  records: OnlineRecords,
  source: string,
  work: (check: () => void) => Promise<T>,
): Promise<T> {
  let untilMs = 0;
  const tell = async () => {
    const nextMs = Date.now() + lengthMs;
    await records.update<Filling>(kind, source, () => ({ untilMs: nextMs }));
    untilMs = nextMs;
  };
  const check = () => {
    if (Date.now() > untilMs - renewMs) throw lapsed(source);
  };
  await tell();
  // One that fails is tried again before others go on; `check` sees when it was not told in time.
  const timer = setInterval(() => void tell().catch(() => {}), renewMs);
  try {
    return await work(check);
  } finally {
    clearInterval(timer);
    await records.update<Filling>(kind, source, () => undefined);
  }
}

function lapsed(source: string): FeatureStoreError {
  return new FeatureStoreError(
    'ABORTED',
    `features of source "${source}" took up too long without a word; filling begins again`,
    {
      details: { source },
    },
  );
}
