/** Which views a request reads, before anything is read: what a token that is for certain views is held to. */
import type { RegistryDocument } from '../registry/document.ts';
import { onDemandViewsOf } from '../registry/references.ts';
import type { Caller } from './caller.ts';

export interface AskedFeatures {
  /** `view:feature` or `view@prefix:feature`. */
  readonly features?: readonly string[] | null;
  readonly service?: string | null;
}

/**
 * The names of the views, those among them that on-demand views read: what is computed of a value may reveal it. A service that does
 * not exist has none, and is refused where it is looked up.
 */
export function viewsAsked(registry: RegistryDocument, { features, service }: AskedFeatures): ReadonlySet<string> {
  const views = new Set<string>();
  for (const reference of features ?? []) views.add(/^[^:@]*/.exec(reference)?.[0] ?? '');
  const found = service == null ? undefined : registry.services.find((candidate) => candidate.name === service);
  for (const part of found?.features ?? []) views.add(part.view);
  for (const view of registry.onDemandViews ?? []) {
    if (views.has(view.name)) for (const input of view.inputs) views.add(input.view);
  }
  return views;
}

/** Whether what is known of a view may be told: of an on-demand view to who may see all that it reads, of one that is gone to who may see all. */
export function isSeenBy({ views }: Pick<Caller, 'views'>, registry: RegistryDocument, view: string): boolean {
  if (views === undefined) return true;
  const isThere = [...registry.views, ...onDemandViewsOf(registry)].some(({ name }) => name === view);
  return isThere && [...viewsAsked(registry, { features: [`${view}:`] })].every((read) => views.includes(read));
}

/** The views that rows of a source become features of. */
export function viewsOfSource(registry: RegistryDocument, source: string): readonly string[] {
  return registry.views.filter((view) => view.source === source).map((view) => view.name);
}
