/** What definitions say of a feature, and since when. */
import { parseInstantUs } from '../../definitions/literal.ts';
import { parseValueType } from '../../definitions/value-type.ts';
import type { OnDemandViewDocument, RegistryDocument, ViewDocument } from '../../registry/document.ts';
import { findNamed, findView, onDemandViewsOf, parseFeatureReference } from '../../registry/references.ts';
import type { ParityRequest } from './request.ts';
import { computedTolerance, defaultTolerance, exactly, type Tolerance } from './tolerance.ts';

/** A feature by its reference; one that does not exist is refused with the nearest. */
export function findReference(registry: RegistryDocument, text: string): { readonly view: string; readonly feature: string } {
  const { view, feature } = parseFeatureReference(text);
  const found: { readonly features: readonly { readonly name: string }[] } = findView(registry, view);
  findNamed(found.features, 'feature', feature, ` in view "${view}"`);
  return { view, feature };
}

/** The views whose values a check tells: all where none is named. */
export function viewsCompared(
  registry: RegistryDocument,
  { features, service, pairs }: Pick<ParityRequest, 'features' | 'service' | 'pairs'>,
): readonly string[] {
  const served = service == null ? undefined : registry.services.find(({ name }) => name === service)?.features;
  const named = (features ?? pairs?.flat())?.map((text) => parseFeatureReference(text).view);
  const views = served?.map(({ view }) => view) ?? named ?? registry.views.map(({ name }) => name);
  const read = onDemandViewsOf(registry).flatMap(({ name, inputs }) =>
    views.includes(name) ? inputs.map(({ view }) => view) : [],
  );
  const stored = new Set(registry.views.map(({ name }) => name));
  return [...new Set([...views, ...read])].filter((name) => stored.has(name));
}

export function hasFeature(registry: RegistryDocument, view: string, feature: string): boolean {
  return findFeature(registry, view, feature) !== undefined;
}

/** As formatValueType spells it; the feature must be there. */
export function typeOf(registry: RegistryDocument, view: string, feature: string): string {
  return findFeature(registry, view, feature)?.type as string;
}

/** Whether a value may be a default (rule 5.2): what a transform gives never is. */
export function hasDefault(registry: RegistryDocument, view: string, feature: string): boolean {
  const stored = registry.views.find(({ name }) => name === view)?.features.find(({ name }) => name === feature);
  return stored?.default !== undefined;
}

/** What section 9 holds a feature to. */
export function toleranceOf(registry: RegistryDocument, view: string, feature: string): Tolerance {
  const stored = registry.views.find(({ name }) => name === view)?.features.find(({ name }) => name === feature);
  if (stored !== undefined) return defaultTolerance(stored);
  const computed = onDemandViewsOf(registry).find(({ name }) => name === view);
  if (computed === undefined) return exactly;
  const inputs = computed.inputs.flatMap((input) => input.features.map((name) => toleranceOf(registry, input.view, name)));
  return computedTolerance(parseValueType(typeOf(registry, view, feature)), inputs);
}

/** When the definition that a stored feature has now was applied first; undefined where no kept version has another. */
export function findRedefinition(
  parts: { readonly registry: RegistryDocument; readDocument(version: number): RegistryDocument | undefined },
  view: string,
  feature: string,
): bigint | undefined {
  let since = parts.registry;
  const hash = hashOf(since, view, feature);
  for (let version = since.version - 1; version > 0; version--) {
    const before = parts.readDocument(version);
    if (before === undefined) return undefined;
    if (hashOf(before, view, feature) !== hash) return parseInstantUs(since.appliedAt);
    since = before;
  }
  return undefined;
}

function hashOf({ views }: RegistryDocument, view: string, feature: string): string | undefined {
  return views.find(({ name }) => name === view)?.features.find(({ name }) => name === feature)?.hash;
}

function findFeature(registry: RegistryDocument, view: string, feature: string): { readonly type: string } | undefined {
  const views: readonly (ViewDocument | OnDemandViewDocument)[] = [...registry.views, ...onDemandViewsOf(registry)];
  return views.find(({ name }) => name === view)?.features.find(({ name }) => name === feature);
}
