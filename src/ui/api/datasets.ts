/** Saved datasets as the server writes them. */
import { getJson, withQuery } from './call.ts';

/** One version among others. */
export interface DatasetRow {
  /** `NAME@VERSION`. */
  readonly name: string;
  readonly id: string | null;
  readonly rows: number | null;
  /** Rows by split. */
  readonly splits: Readonly<Record<string, number>>;
  /** Names of their columns. */
  readonly features: readonly string[];
  /** View -> its features that are in it. */
  readonly views: Readonly<Record<string, readonly string[]>>;
  readonly labels: readonly string[];
  readonly service: string | null;
  readonly created_at: string | null;
  readonly created_by: string | null;
  readonly description: string | null;
  /** What of it cannot be read, and what to do about it: nothing else is known of it then. */
  readonly damaged: string | null;
  /** Expectations that do not hold. */
  readonly warnings: readonly string[];
  readonly models: readonly string[];
}

interface File {
  readonly bytes: number;
}

export interface ColumnStatistics {
  readonly nulls: number;
  readonly present?: number;
  readonly null_value?: number;
  readonly not_found?: number;
  readonly outside_max_age?: number;
  readonly defaults?: number;
  readonly distinct?: number;
  readonly distinct_exact?: boolean;
  readonly min?: string | null;
  readonly max?: string | null;
  readonly mean?: number | null;
  readonly stddev?: number | null;
  readonly nan?: number;
  readonly infinite?: number;
  readonly true?: number;
  readonly histogram?: DatasetHistogram;
  readonly top?: readonly { readonly value: string; readonly rows: number }[];
}

/** Counts in bins of equal width. */
export interface DatasetHistogram {
  readonly min: string;
  readonly max: string;
  readonly counts: readonly number[];
}

export interface DatasetColumn {
  readonly name: string;
  readonly type: string;
  readonly role: 'key' | 'timestamp' | 'label' | 'frame' | 'feature' | 'status' | 'row';
  /** `view:feature`. */
  readonly feature: string | null;
  readonly statistics: ColumnStatistics;
  readonly vocabulary: (File & { readonly rows: number }) | null;
}

export interface Gate {
  readonly column: string;
  readonly expectation: string;
  readonly on_failure: 'fail' | 'warn';
  readonly ok: boolean;
  readonly expected: string;
  readonly measured: string;
  readonly example: { readonly row: number; readonly value: string | null } | null;
}

interface Shares {
  readonly parts: Readonly<Record<string, number>>;
  readonly seed: number;
}

export interface Split {
  readonly time?: {
    readonly column?: string | null;
    readonly boundaries: readonly { readonly name: string; readonly until?: string }[];
  };
  readonly entity?: Shares & { readonly keys: readonly string[] };
  readonly random?: Shares;
}

export interface Recipe {
  readonly features: readonly string[] | null;
  readonly service: string | null;
  readonly full_feature_names: boolean;
  readonly statuses: boolean;
  readonly as_known: boolean | null;
  readonly timestamp: string;
  readonly timezone: string | null;
  readonly at: string | null;
  readonly keys: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly frame: File & {
    readonly hash: string;
    readonly rows: number;
    readonly origin: 'upload' | 'path';
    readonly origin_path: string | null;
  };
  readonly split: Split | null;
  readonly labels: readonly string[];
  readonly definitions: {
    readonly registry_version: number;
    readonly features: readonly { readonly view: string; readonly feature: string }[];
  };
  readonly versions: string;
  readonly sources: readonly {
    readonly source: string;
    readonly views: readonly string[];
    readonly files: readonly File[];
    readonly archived: readonly File[];
    readonly erased: string | null;
  }[];
}

/** One version whole. */
export interface Dataset {
  readonly name: string;
  readonly version: number;
  readonly id: string;
  readonly description: string | null;
  readonly created_at: string;
  readonly created_by: string | null;
  readonly recipe: Recipe;
  readonly reproducible: boolean;
  readonly why_not: string | null;
  readonly rows: number;
  readonly splits: readonly {
    readonly name: string;
    readonly rows: number;
    readonly files: readonly File[];
    readonly blocks: File & { readonly checksums: File };
  }[];
  readonly columns: readonly DatasetColumn[];
  readonly gates: readonly Gate[];
  readonly tags: readonly {
    readonly model: string;
    readonly version: string | null;
    readonly at: string;
    readonly by: string | null;
  }[];
  readonly readers: { readonly streams: number; readonly processes: number };
}

export interface Change {
  readonly what: string;
  readonly from: unknown;
  readonly to: unknown;
}

export interface DatasetDiff {
  readonly same: boolean;
  readonly recipe: readonly Change[];
  readonly splits: readonly Change[];
  readonly statistics: readonly { readonly column: string; readonly changes: readonly Change[] }[];
  readonly sources: readonly {
    readonly source: string;
    readonly added: readonly string[];
    readonly removed: readonly string[];
    readonly changed: readonly string[];
    readonly erased: boolean;
  }[];
}

/** The newest version of each, or all of one, the oldest first. */
export async function readDatasetRows(name: string | undefined, signal: AbortSignal): Promise<readonly DatasetRow[]> {
  return (await getJson<{ rows: readonly DatasetRow[] }>(withQuery('api/v1/datasets', { name }), signal)).rows;
}

export function readDataset(reference: string, signal: AbortSignal): Promise<Dataset> {
  return getJson(`api/v1/datasets/${encodeURIComponent(reference)}`, signal);
}

export function readDatasetDiff(from: string, to: string, signal: AbortSignal): Promise<DatasetDiff> {
  return getJson(withQuery(`api/v1/datasets/${encodeURIComponent(from)}/diff`, { to }), signal);
}

/** `NAME@VERSION` in its parts. */
export function splitDataset(reference: string): { readonly name: string; readonly version?: string } {
  const [name = '', version] = reference.split('@', 2);
  return { name, version };
}
