/** The catalogue as the server writes it. */
import { CallError, getJson } from './call.ts';
import { type DatasetRow, readDatasetRows } from './datasets.ts';

interface Described {
  readonly name: string;
  readonly description: string | null;
  readonly owner: string | null;
}

export type Tags = Readonly<Record<string, string>>;

/** What a definition says that should no longer be read. */
export interface Deprecation {
  /** Days. */
  readonly since?: string;
  readonly removeAfter?: string;
  readonly reason?: string;
  readonly replacement?: string;
}

/** Who has read something last, by whom; null where that is not known now. */
interface Read {
  readonly last_read: string | null;
  readonly readers: Readonly<Record<string, string>> | null;
  readonly deprecated: Deprecation | null;
}

export interface EntityRow extends Described {
  readonly join_keys: Readonly<Record<string, string>>;
  readonly tags: Tags;
}

export interface SourceRow extends Described {
  readonly kind: string;
  readonly format: string | null;
  readonly paths: readonly string[];
  readonly event_timestamp: string;
  readonly created_timestamp: string | null;
  readonly available_at: string | null;
  readonly timezone: string | null;
  readonly columns: Readonly<Record<string, string>>;
  readonly tags: Tags;
  /** Of an SQL source. */
  readonly inputs?: readonly string[];
  readonly sql?: string;
  readonly every?: string;
  readonly offset?: string;
  readonly last_tick?: string | null;
  readonly missing_ticks?: number;
  /** Of an event source. */
  readonly stream?: string | null;
  readonly lateness?: string | null;
}

export interface ViewRow extends Described, Read {
  readonly kind: 'batch' | 'stream' | 'on_demand';
  readonly entities: readonly string[];
  readonly source: string | null;
  readonly join_keys: Readonly<Record<string, string>>;
  readonly ttl: string | null;
  readonly delay: string | null;
  readonly as_known: boolean | null;
  readonly features: readonly string[];
  readonly newest_event: string | null;
  readonly tags: Tags;
  /** The objective as it is written; null where there is none. */
  readonly freshness: string | null;
  readonly freshness_state: 'FRESH' | 'STALE' | 'NEVER' | null;
  readonly event_age_seconds: number | null;
  readonly processing_age_seconds: number | null;
  /** Of an on-demand view: references that it reads, and what a request must bring. */
  readonly inputs?: readonly string[];
  readonly request?: Readonly<Record<string, string>>;
}

export interface ServiceRow extends Described, Read {
  /** `view:feature` or `view@prefix:feature`. */
  readonly features: readonly string[];
  /** By view or prefix: join key -> column. */
  readonly keys: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly tags: Tags;
}

export interface FeatureRow extends Described, Read {
  readonly view: string;
  readonly feature: string;
  readonly type: string;
  readonly default: unknown;
  readonly newest_event: string | null;
}

export interface Catalogue {
  readonly entities: readonly EntityRow[];
  readonly sources: readonly SourceRow[];
  readonly views: readonly ViewRow[];
  readonly services: readonly ServiceRow[];
  readonly features: readonly FeatureRow[];
  /** The newest version of each. */
  readonly datasets: readonly DatasetRow[];
  /** Why these could not be read, such as for one that is damaged: it hides nothing else. */
  readonly datasetsUnread: string | null;
}

export async function readCatalogue(signal: AbortSignal): Promise<Catalogue> {
  const rows = async <T>(part: string) => (await getJson<{ rows: readonly T[] }>(`api/v1/${part}`, signal)).rows;
  const [entities, sources, views, services, features, datasets] = await Promise.all([
    rows<EntityRow>('entities'),
    rows<SourceRow>('sources'),
    rows<ViewRow>('feature-views'),
    rows<ServiceRow>('feature-services'),
    rows<FeatureRow>('features'),
    readDatasets(signal),
  ]);
  return { entities, sources, views, services, features, ...datasets };
}

async function readDatasets(signal: AbortSignal): Promise<Pick<Catalogue, 'datasets' | 'datasetsUnread'>> {
  try {
    return { datasets: await readDatasetRows(undefined, signal), datasetsUnread: null };
  } catch (error) {
    if (signal.aborted || !(error instanceof CallError)) throw error;
    return { datasets: [], datasetsUnread: error.message };
  }
}

/** `view@prefix:feature` in its parts. */
export function splitReference(reference: string): { readonly view: string; readonly prefix?: string; readonly feature: string } {
  const [left = '', feature = ''] = reference.split(':', 2);
  const [view = '', prefix] = left.split('@', 2);
  return { view, prefix, feature };
}
