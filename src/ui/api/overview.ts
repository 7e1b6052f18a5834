/** All that the server knows of what is wrong, each part by itself: what one part refuses does not hide the others. */
import { CallError } from './call.ts';
import { type Catalogue, readCatalogue } from './catalogue.ts';
import { type DriftFeature, type Envelope, type LastChecks, type ParityFeature, readLastChecks, readReports } from './reports.ts';
import { readUnmaterialized } from './served.ts';
import { readSetAside, readStreams, type SetAsideEvent, type StreamRow } from './streams.ts';
import { type FeatureHealth, readAlerts, readHealth, type ShownAlerts } from './watched.ts';

/** What was read, or why it could not be. */
export type Part<T> = { readonly data: T } | { readonly error: CallError };

export interface StreamNews extends StreamRow {
  /** The newest event that it set aside; null where there is none, or none is to be seen. */
  readonly newestSetAside: SetAsideEvent | null;
}

export interface Overview {
  readonly readAt: string;
  readonly catalogue: Catalogue;
  readonly alerts: Part<ShownAlerts>;
  readonly health: Part<FeatureHealth>;
  /** The last check of each feature. */
  readonly parity: Part<LastChecks<ParityFeature>>;
  readonly drift: Part<LastChecks<DriftFeature>>;
  /** The last audit; undefined where there is none. */
  readonly leaks: Part<Envelope | undefined>;
  readonly streams: Part<readonly StreamNews[]>;
  /** Batch views that were never materialized. */
  readonly unmaterialized: Part<readonly string[]>;
}

export async function readOverview(signal: AbortSignal): Promise<Overview> {
  // A token that is not known is refused everything: the catalogue says so.
  const catalogue = await readCatalogue(signal);
  const part = async <T>(read: Promise<T>): Promise<Part<T>> => {
    try {
      return { data: await read };
    } catch (error) {
      if (error instanceof CallError && !signal.aborted) return { error };
      throw error;
    }
  };
  const last = async (kind: string) => (await readReports({ kind, limit: 1 }, signal)).reports[0];
  const [alerts, health, parity, drift, leaks, streams, unmaterialized] = await Promise.all([
    part(readAlerts(signal)),
    part(readHealth(signal)),
    part(readLastChecks<ParityFeature>('parity', signal)),
    part(readLastChecks<DriftFeature>('drift', signal)),
    part(last('leaks')),
    part(readNews(signal)),
    part(readUnmaterialized(catalogue.views, signal)),
  ]);
  return { readAt: new Date().toISOString(), catalogue, alerts, health, parity, drift, leaks, streams, unmaterialized };
}

async function readNews(signal: AbortSignal): Promise<readonly StreamNews[]> {
  const newest = async ({ source, partitions }: StreamRow) => {
    if (partitions.every((partition) => partition.set_aside === 0)) return null;
    try {
      return (await readSetAside({ source, limit: 1 }, signal)).events[0] ?? null;
    } catch (error) {
      // Whose token may not see events still sees how many there are.
      if (error instanceof CallError && error.code === 'PERMISSION_DENIED') return null;
      throw error;
    }
  };
  const streams = await readStreams(signal);
  return await Promise.all(streams.map(async (stream) => ({ ...stream, newestSetAside: await newest(stream) })));
}
