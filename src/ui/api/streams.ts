/** Streams of event sources, and what they set aside, as the server writes them. */
import { getJson, withQuery } from './call.ts';

export interface Partition {
  readonly partition: string;
  readonly next: string | null;
  readonly end: string | null;
  readonly lag_records: number | null;
  readonly lag_seconds: number | null;
  readonly max_event_time: string | null;
  readonly freshness_seconds: number | null;
  readonly records: number;
  readonly events: number;
  readonly late: number;
  readonly set_aside: number;
  readonly duplicates: number;
}

export interface StreamRow {
  readonly source: string;
  readonly stream: string | null;
  readonly views: readonly string[];
  readonly error: string | null;
  readonly log_error: string | null;
  readonly partitions: readonly Partition[];
  readonly since_start: {
    readonly applied: number;
    readonly too_late: number;
    readonly erased: number;
    readonly oversized_states: number;
    readonly ignored_fields: readonly { readonly name: string; readonly events: number; readonly did_you_mean: string | null }[];
  } | null;
}

export interface SetAside {
  readonly total: number;
  readonly removed: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly events: readonly SetAsideEvent[];
}

export interface SetAsideEvent {
  readonly partition: string;
  readonly offset: string;
  readonly set_aside_at: string;
  readonly reason: string;
  readonly bytes: number;
  readonly encoding: string | null;
  readonly value: string | null;
  readonly is_truncated: boolean;
}

export async function readStreams(signal: AbortSignal): Promise<readonly StreamRow[]> {
  return (await getJson<{ streams: readonly StreamRow[] }>('api/v1/streams', signal)).streams;
}

export function readStream(source: string, signal: AbortSignal): Promise<StreamRow> {
  return getJson(`api/v1/streams/${encodeURIComponent(source)}`, signal);
}

/** The newest, a hundred without a limit; of all or with a text in their reason. */
export function readSetAside(
  { source, ...query }: { readonly source: string; readonly reason?: string; readonly limit?: number },
  signal: AbortSignal,
): Promise<SetAside> {
  return getJson(withQuery(`api/v1/streams/${encodeURIComponent(source)}/set-aside`, query), signal);
}

/** Over all partitions; null where one of them is not known. */
export function lagOf({ partitions }: StreamRow): { readonly records: number | null; readonly seconds: number | null } {
  const records = partitions.map((one) => one.lag_records);
  const seconds = partitions.map((one) => one.lag_seconds);
  return {
    records: areKnown(records) ? records.reduce((sum, value) => sum + value, 0) : null,
    seconds: areKnown(seconds) ? Math.max(0, ...seconds) : null,
  };
}

/** What was counted, over all partitions. */
export function sumOf({ partitions }: StreamRow, of: 'events' | 'late' | 'set_aside'): number {
  return partitions.reduce((total, partition) => total + partition[of], 0);
}

function areKnown(values: (number | null)[]): values is number[] {
  return !values.includes(null);
}
