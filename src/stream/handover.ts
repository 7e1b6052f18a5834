/**
 * Up to where states were filled from tables that others write, and their streams begin to count: a record beside the progress. Of a
 * source that is archived and has ids it says up to where an event of the stream may be one of a table.
 */
import type { OnlineRecords } from '../online/records.ts';

const kind = 'handover';

/** undefined is from the beginning. */
export async function writeHandover(
  records: OnlineRecords,
  source: string,
  fromUs: bigint | undefined,
  signal?: AbortSignal,
): Promise<void> {
  await records.update(kind, source, () => (fromUs === undefined ? undefined : { fromUs: String(fromUs) }), signal);
}

export async function readHandover(records: OnlineRecords, source: string, signal?: AbortSignal): Promise<bigint | undefined> {
  const found = (await records.read(kind, source, signal)) as { readonly fromUs: string } | undefined;
  return found === undefined ? undefined : BigInt(found.fromUs);
}
