/** Whether a stream has events waiting from before an instant, so that numbers as of then would lack them. */
import { parseOffset } from './stream-offset.ts';
import type { StreamStatus } from './stream-status.ts';

/** True also where the log cannot be asked: then nothing is read of it either. */
export async function isSourceBehind(
  status: Pick<StreamStatus, 'read'>,
  source: string,
  instantUs: bigint,
  nowUs: bigint,
): Promise<boolean> {
  const [stream] = await status.read(source);
  if (stream === undefined) return false;
  const sinceSeconds = Number(nowUs - instantUs) / 1e6;
  const waits = stream.partitions.some(({ next, end, lag_records: lag, freshness_seconds: newest }) => {
    // A partition without an end is gone.
    if (end === null || lag === 0) return false;
    const isCut = next !== null && parseOffset(next) > parseOffset(end);
    return isCut || newest === null || newest > sinceSeconds;
  });
  return stream.log_error !== null || waits;
}
