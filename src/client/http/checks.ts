/** Checks that a server makes of itself and of training sets: what is asked of them, and the reports that come of it. */
import type { HistoricalQuery } from '../historical-query.ts';
import { type Instant, toIso } from './long-calls.ts';

/** What every report begins with; all that a server tells is there, as it stands on the wire (docs/reference/http.md). */
export interface CheckReport {
  readonly id: string;
  readonly kind: string;
  /** ISO text. */
  readonly created_at: string;
  readonly result: 'PASS' | 'FAIL' | 'NO DATA';
  readonly [name: string]: unknown;
}

export interface ParityQuery {
  /** Only what was served from then on; default: 24 hours before `to`. */
  readonly from?: Instant;
  /** Only what was served before then; default: now. */
  readonly to?: Instant;
  /** Read a sample of keys online now, and not what was logged. */
  readonly live?: boolean;
  /** Only these, `view:feature`, or those of a service; default: all. */
  readonly features?: readonly string[];
  readonly service?: string;
  /** Features of a stream and a batch view that are to be the same, compared in history. */
  readonly pairs?: readonly (readonly [string, string])[];
  /** Rows of each shape of the log at most; with `live` or `pairs` keys of each view. */
  readonly sample?: number;
  /** By `view:feature`, instead of those that types have. */
  readonly tolerances?: Readonly<Record<string, { readonly relative: number; readonly absolute?: number }>>;
  /** Differences of a feature whose cause is looked for; default 50. */
  readonly examine?: number;
}

export interface ParityReport extends CheckReport {
  readonly summary: {
    readonly rows: number;
    readonly pairs: number;
    readonly differences: number;
    /** Of the differences that were examined. */
    readonly causes: Readonly<Record<string, number>>;
    readonly advice: string | null;
    readonly [name: string]: unknown;
  };
  readonly features: readonly ParityFeature[];
}

export interface ParityFeature {
  readonly view: string;
  readonly feature: string;
  readonly type: string;
  readonly n: number;
  readonly within_tolerance: number;
  readonly share_within: number | null;
  readonly result: CheckReport['result'];
  readonly causes: Readonly<Record<string, number>>;
  /** The greatest differences, bugs first. */
  readonly worst: readonly {
    readonly keys: Readonly<Record<string, unknown>>;
    readonly evaluated_at: string;
    readonly online: Readonly<Record<string, unknown>>;
    readonly offline: Readonly<Record<string, unknown>>;
    readonly cause: string | null;
    readonly causes: readonly string[];
    readonly evidence: { readonly text: string; readonly [name: string]: unknown };
    readonly [name: string]: unknown;
  }[];
  readonly [name: string]: unknown;
}

export interface ParityProgress {
  readonly rows: number;
  readonly pairs: number;
  readonly differences: number;
}

/** Rows of a saved dataset. */
export interface SavedRows {
  readonly dataset: string;
  readonly split?: string;
}

/** Members as on the wire; a frame beside it is the training set that is compared with. */
export interface DriftQuery {
  readonly from?: Instant;
  readonly to?: Instant;
  readonly reference_from?: Instant;
  readonly reference_to?: Instant;
  /** A saved dataset, instead of the earlier period: `NAME@VERSION`, or NAME for the newest, and one of its splits or all. */
  readonly reference?: SavedRows;
  /** A saved dataset, instead of what was served. */
  readonly current?: SavedRows;
  /** A training set in a file that the server may read. */
  readonly path?: string;
  /** Of a training set: column -> `view:feature`, where its name does not say it. */
  readonly columns?: Readonly<Record<string, string>>;
  readonly timestamp?: string;
  readonly timezone?: string;
  readonly features?: readonly string[];
  readonly service?: string;
  /** By `view:feature`. */
  readonly thresholds?: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly min_keys?: number;
  readonly sample?: number;
}

/** Members as on the wire; a frame beside it is what is audited. */
export interface LeakQuery
  extends Pick<HistoricalQuery, 'features' | 'service' | 'as_known' | 'timestamp' | 'timezone' | 'at' | 'keys' | 'path'> {
  /** The frame holds features already: audit those. */
  readonly table?: boolean;
  /** Of a table: column -> `view:feature`, where its name does not say it. */
  readonly columns?: Readonly<Record<string, string>>;
  /** Columns that are to be predicted. */
  readonly labels?: readonly string[];
  readonly delta?: string;
  readonly max_rows?: number;
  readonly cuts?: number;
  readonly threshold?: number;
}

/** Instants as text. */
export function encodePeriods<Q extends ParityQuery | DriftQuery>(query: Q): object {
  const instants = ['from', 'to', 'reference_from', 'reference_to'];
  return Object.fromEntries(
    Object.entries(query).map(([name, value]) => [name, instants.includes(name) ? toIso(value as Instant) : value]),
  );
}
