/** Which views a request reads, before anything is read: what a token that is for certain views is held to. */
import type { RegistryDocument } from '../registry/document.ts';

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

/** The views that rows of a source become features of. */
export function viewsOfSource(registry: RegistryDocument, source: string): readonly string[] {
  return registry.views.filter((view) => view.source === source).map((view) => view.name);
}
