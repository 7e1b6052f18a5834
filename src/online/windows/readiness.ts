/**
 * Which features of stream views are served: those whose states hold all events of history. Until then a state that is not there says
 * nothing, afterwards it says that there are no events.
 */
import type { OnlineRecords } from '../records.ts';
import type { WindowView } from './window-view.ts';

/** Feature -> hash of the definition that its states are of (WindowFeature.hash). */
export type Readiness = Readonly<Record<string, string>>;

const kind = 'windows';
/** What stood there before the last change: served as long as the definitions that it belongs to are the applied ones. */
const kindBefore = 'windows-before';

/** In the order of the views, in one round trip. */
export async function readReadiness(
  records: OnlineRecords,
  views: readonly string[],
  signal?: AbortSignal,
): Promise<Readiness[]> {
  if (views.length === 0) return [];
  const found = await records.readMany(kind, views, signal);
  return found.map((readiness) => (readiness ?? {}) as Readiness);
}

/** As readReadiness, with what was replaced last. */
export async function readServed(
  records: OnlineRecords,
  views: readonly string[],
  signal?: AbortSignal,
): Promise<(readonly Readiness[])[]> {
  if (views.length === 0) return [];
  const [now, before] = await Promise.all([records.readMany(kind, views, signal), records.readMany(kindBefore, views, signal)]);
  return views.map((_, at) => [now[at] ?? {}, before[at] ?? {}] as Readiness[]);
}

/** Keeps of a view what is ready and still defined, and what is ready now. */
export async function writeReadiness(
  records: OnlineRecords,
  { name, features }: WindowView,
  isReady: (hash: string) => boolean,
  signal?: AbortSignal,
): Promise<void> {
  await keepBefore(records, name, signal);
  await records.update<Readiness>(
    kind,
    name,
    (current = {}) =>
      Object.fromEntries(
        features.flatMap(({ name, hash }) => (current[name] === hash || isReady(hash) ? [[name, hash] as const] : [])),
      ),
    signal,
  );
}

/** Nothing of a view is ready until it is filled anew; what was is served meanwhile. */
export async function withdrawReadiness(records: OnlineRecords, view: string, signal?: AbortSignal): Promise<void> {
  await keepBefore(records, view, signal);
  await records.update<Readiness>(kind, view, () => undefined, signal);
}

async function keepBefore(records: OnlineRecords, view: string, signal: AbortSignal | undefined): Promise<void> {
  const replaced = (await records.read(kind, view, signal)) as Readiness | undefined;
  if (replaced !== undefined) await records.update<Readiness>(kindBefore, view, () => replaced, signal);
}

/** The view with those of its features alone that are ready. */
export function readyView(view: WindowView, readiness: Readiness): WindowView {
  return { ...view, features: view.features.filter(({ name, hash }) => readiness[name] === hash) };
}
