/** Calls that take long: what is asked, how far they are, and what comes of them. */
import { formatInstantUs } from '../../definitions/literal.ts';
import { FeatureStoreError } from '../../errors.ts';

/** An instant: ISO text, or microseconds since the epoch. */
export type Instant = string | bigint;

export interface LongCallOptions<Progress> {
  readonly signal?: AbortSignal;
  /** Default: no limit. */
  readonly timeoutMs?: number;
  /** Told how far it is, from time to time. */
  onProgress?(progress: Progress): void;
}

/** How far a view is; rows are those of its source. */
export interface MaterializeProgress {
  readonly view: string;
  readonly scanned: number;
  readonly of: number;
  readonly keys: number;
  readonly rows: number;
  readonly written: number;
  readonly unchanged: number;
  readonly skipped: number;
  readonly erased: number;
}

export interface MaterializeOptions extends LongCallOptions<MaterializeProgress> {
  /** Default: every view. */
  readonly views?: readonly string[];
  /** Without a start: whatever is new. */
  readonly start?: Instant;
  readonly end?: Instant;
}

/** How far making states anew is. */
export interface FillProgress {
  readonly source: string;
  readonly view: string;
  /** Events of the view are found and sorted, states are made and written, or those of keys without events in history are removed. */
  readonly phase: 'sorting' | 'writing' | 'removing';
  /** Views that are done, of how many. */
  readonly done: number;
  readonly of: number;
  /** Of this view: events read and keys written. */
  readonly events: number;
  readonly keys: number;
}

export interface FilledView {
  readonly view: string;
  readonly features: readonly string[];
  readonly events: number;
  readonly keys: number;
}

export interface ReplayOptions extends LongCallOptions<FillProgress> {
  /** Only keys with an event from then on; default: from the beginning. */
  readonly from?: Instant;
  /** Only keys with an event before then; default: up to now. */
  readonly to?: Instant;
}

export interface ReplayReport {
  readonly source: string;
  readonly views: readonly FilledView[];
}

export interface ResetStreamOptions extends LongCallOptions<FillProgress> {
  /** The first record that the log still has, its end, or by partition an offset: a number, of a Redis stream `ms-seq`. */
  readonly from: 'earliest' | 'latest' | Readonly<Record<string, string | number | bigint>>;
  /** The log was made anew: its offsets say nothing of what was read before. */
  readonly newLog?: boolean;
}

export interface ResetReport extends ReplayReport {
  readonly partitions: readonly {
    readonly partition: string;
    /** Where it was read on from; null where nothing was read of it. */
    readonly before: string | null;
    readonly next: string;
    readonly new_log: boolean;
  }[];
}

export interface SetAsideOptions {
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
  /** Most events that are shown, the newest first: 1 to 1000; default 100. */
  readonly limit?: number;
  readonly partition?: string;
  /** Only with this in their reason. */
  readonly reason?: string;
}

export interface SetAsideReport {
  readonly source: string;
  /** All that are kept, the partition's where one is asked for, and how many older ones made room. */
  readonly total: number;
  readonly removed: number;
  /** By reason. */
  readonly counts: Readonly<Record<string, number>>;
  readonly events: readonly {
    readonly partition: string;
    readonly offset: string;
    readonly set_aside_at: string;
    readonly reason: string;
    readonly bytes: number;
    readonly encoding: 'utf8' | 'base64' | null;
    readonly value: string | null;
    readonly is_truncated: boolean;
  }[];
}

/** How far the stream of an event source is. */
export interface StreamState {
  readonly source: string;
  /** Where its events come from beside pushes. */
  readonly stream: string | null;
  readonly views: readonly string[];
  /** Why it stands still, and why its log cannot be asked; null while all is well. */
  readonly error: string | null;
  readonly log_error: string | null;
  /** States above `maxStateBytes` that stand beside their keys' values; those that came back leave the count hourly. */
  readonly spilled_states: number;
  readonly partitions: readonly {
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
  }[];
  readonly since_start: Readonly<Record<string, unknown>> | null;
}

/** Counts of ticks, and the rows of those that ran. */
export interface RunSqlProgress {
  readonly source: string;
  /** The one that ran last. */
  readonly tick: string | null;
  readonly done: number;
  readonly of: number;
  readonly ran: number;
  readonly skipped: number;
  readonly rows: number;
}

export interface RunSqlOptions extends LongCallOptions<RunSqlProgress> {
  /** Ticks from then on; default: those after the last that has run. */
  readonly start?: Instant;
  /** Ticks until then, inclusive; default: now. */
  readonly end?: Instant;
  /** Also ticks that have run: their rows are replaced whole. */
  readonly again?: boolean;
}

export interface RunSqlReport extends RunSqlProgress {
  /** Of the range that is due; null where no tick is. */
  readonly first: string | null;
  readonly last: string | null;
  readonly not_due: number;
  readonly seconds: number;
}

/** INVALID_ARGUMENT beyond the years 0000 to 9999. */
export function toIso(instant: Instant | undefined): string | undefined {
  if (typeof instant !== 'bigint') return instant;
  const text = formatInstantUs(instant);
  if (text.length <= 27) return text;
  throw new FeatureStoreError('INVALID_ARGUMENT', `${text} is beyond the years 0000 to 9999, which the server takes`);
}

/** Offsets as text: JSON has no integers above 2^53. */
export function encodePlace(from: ResetStreamOptions['from']): 'earliest' | 'latest' | Readonly<Record<string, string>> {
  if (typeof from === 'string') return from;
  return Object.fromEntries(Object.entries(from).map(([partition, offset]) => [partition, String(offset)]));
}
