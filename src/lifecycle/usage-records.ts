/** Who has read which feature last: records beside the online values, which all servers of a project write and merge. */
import type { OnlineRecords } from '../online/records.ts';

/** Reader -> ISO instant of the last read, to the second. */
export type Readers = Readonly<Record<string, string>>;

/** By what was read: each feature under its view, each feature service by its name. */
export interface Usage {
  readonly features: ReadonlyMap<string, Readonly<Record<string, Readers>>>;
  readonly services: ReadonlyMap<string, Readers>;
}

/** The names of views and services that are asked about. */
export interface UsageNames {
  readonly views: readonly string[];
  readonly services: readonly string[];
}

/** Reads of one view: feature -> readers. */
export type Reads = Readonly<Record<string, Readers>>;

/** One record for each view, and one for each service. */
const featureKind = 'usage_of_view';
const serviceKind = 'usage_of_service';

/** Readers that are kept of one feature, the latest ones. */
const mostReaders = 50;
const keptMs = 400 * 86_400_000;

export async function readUsage(records: OnlineRecords, { views, services }: UsageNames): Promise<Usage> {
  const [ofViews, ofServices] = await Promise.all([
    records.readMany(featureKind, views),
    records.readMany(serviceKind, services),
  ]);
  return {
    features: new Map(views.map((view, at) => [view, (ofViews[at] ?? {}) as Reads])),
    services: new Map(services.map((service, at) => [service, (ofServices[at] ?? {}) as Readers])),
  };
}

/** Of each feature and service the later of what is stored and what is given is stored. */
export async function mergeUsage(records: OnlineRecords, usage: Usage, nowMs = Date.now()): Promise<void> {
  const oldest = instantOf(nowMs - keptMs);
  const ofViews = [...usage.features].map(([view, reads]) =>
    records.update<Reads>(featureKind, view, (current) => mergeReads(current ?? {}, reads, oldest) ?? current),
  );
  const ofServices = [...usage.services].map(([service, readers]) =>
    records.update<Readers>(serviceKind, service, (current) => mergeReaders(current ?? {}, readers, oldest) ?? current),
  );
  const failed = (await Promise.allSettled([...ofViews, ...ofServices])).find(({ status }) => status === 'rejected');
  if (failed !== undefined) throw (failed as PromiseRejectedResult).reason;
}

/** undefined where nothing is newer. */
function mergeReads(current: Reads, added: Reads, oldest: string): Reads | undefined {
  const changed = Object.entries(added).flatMap(([feature, readers]) => {
    const merged = mergeReaders(memberOf(current, feature) ?? {}, readers, oldest);
    return merged === undefined ? [] : [[feature, merged] as const];
  });
  return changed.length === 0 ? undefined : { ...current, ...Object.fromEntries(changed) };
}

function mergeReaders(current: Readers, added: Readers, oldest: string): Readers | undefined {
  const later = Object.entries(added).filter(([reader, at]) => at > (memberOf(current, reader) ?? ''));
  if (later.length === 0) return undefined;
  return latestFirst({ ...current, ...Object.fromEntries(later) }, oldest);
}

/** The later of both for every reader, the latest first. */
export function joinReaders(all: readonly Readers[]): Readers {
  const joined = new Map<string, string>();
  for (const readers of all)
    for (const [reader, at] of Object.entries(readers)) if (at > (joined.get(reader) ?? '')) joined.set(reader, at);
  return latestFirst(Object.fromEntries(joined));
}

function latestFirst(readers: Readers, oldest = ''): Readers {
  const kept = Object.entries(readers).filter(([, at]) => at >= oldest);
  return Object.fromEntries(kept.sort(([, a], [, b]) => (a < b ? 1 : a > b ? -1 : 0)).slice(0, mostReaders));
}

/** Names are anybody's: one may be that of a method. */
export function memberOf<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

/** Of text, instants of this form are in the order of time. */
export function instantOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
