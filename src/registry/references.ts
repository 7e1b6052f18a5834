/** References to features, `view:feature` or `view@prefix:feature`, and the names that they find in what is applied. */
import { nameProblem } from '../definitions/name.ts';
import { didYouMean, FeatureStoreError } from '../errors.ts';
import type { OnDemandViewDocument, RegistryDocument, SourceDocument, ViewDocument } from './document.ts';

export interface FeatureReference {
  readonly view: string;
  readonly prefix?: string;
  readonly feature: string;
}

/** What is asked for: references or a service, one of them. */
export interface Selection {
  readonly features?: readonly string[] | null;
  readonly service?: string | null;
}

/** A reference with the mapping of join keys that its service gives it: join key -> column. */
export interface WantedFeature extends FeatureReference {
  readonly keys: Readonly<Record<string, string>>;
}

const referencePattern = /^(?<view>[^:@]+)(?:@(?<prefix>[^:@]+))?:(?<feature>[^:@]+)$/;

/** Splits a reference; the text of a wrong one is named. */
export function parseFeatureReference(text: string): FeatureReference {
  const groups = referencePattern.exec(text)?.groups as { view: string; prefix?: string; feature: string } | undefined;
  if (groups === undefined) {
    throw new FeatureStoreError(
      'INVALID_ARGUMENT',
      `"${text}" is no feature reference; write view:feature, or view@prefix:feature to join a view under another name`,
      { details: { reference: text } },
    );
  }
  const problem = groups.prefix === undefined ? undefined : nameProblem(groups.prefix);
  if (problem !== undefined) {
    throw new FeatureStoreError('INVALID_ARGUMENT', `"${groups.prefix}" in "${text}" cannot be a prefix: ${problem}`, {
      details: { reference: text },
    });
  }
  return groups;
}

/** The features that a selection asks for, one by one in the order of the answer. */
export function listWanted(registry: RegistryDocument, { features, service }: Selection): readonly WantedFeature[] {
  if (features != null) return features.map((text) => ({ ...parseFeatureReference(text), keys: {} }));
  const parts = findNamed(registry.services, 'feature service', service as string).features;
  return parts.flatMap((part) =>
    part.features.map((feature) => ({ view: part.view, prefix: part.prefix, feature, keys: part.keys ?? {} })),
  );
}

/** The views that a selection will look up, each with its source; names that do not exist are left for `resolveFeatures` to refuse. */
export function listSources(
  registry: RegistryDocument,
  { features, service }: Selection,
): { readonly view: ViewDocument; readonly source: SourceDocument }[] {
  const parts = registry.services.find((candidate) => candidate.name === service)?.features ?? [];
  const asked = new Set([...(features ?? []).map((text) => text.split(/[@:]/)[0]), ...parts.map((part) => part.view)]);
  const inputs = onDemandViewsOf(registry)
    .filter((view) => asked.has(view.name))
    .flatMap((view) => view.inputs.map((input) => input.view));
  const names = new Set([...asked, ...inputs]);
  return registry.views
    .filter((view) => names.has(view.name))
    .flatMap((view) => registry.sources.filter((source) => source.name === view.source).map((source) => ({ view, source })));
}

/** The on-demand views of a document; documents that were stored before there were any do not say. */
export function onDemandViewsOf(registry: Pick<RegistryDocument, 'onDemandViews'>): readonly OnDemandViewDocument[] {
  return registry.onDemandViews ?? [];
}

/** The views whose rows the online store takes from their sources. */
export function batchViewsOf(registry: Pick<RegistryDocument, 'views'>): readonly ViewDocument[] {
  return registry.views.filter((view) => view.kind === 'batch');
}

/** A view of any kind by its name. */
export function findView(registry: RegistryDocument, name: string): ViewDocument | OnDemandViewDocument {
  return findNamed<ViewDocument | OnDemandViewDocument>([...registry.views, ...onDemandViewsOf(registry)], 'feature view', name);
}

/** The item of that name; NOT_FOUND names the nearest. */
export function findNamed<T extends { readonly name: string }>(items: readonly T[], kind: string, name: string, where = ''): T {
  const found = items.find((candidate) => candidate.name === name);
  if (found !== undefined) return found;
  throw unknownName(
    kind,
    name,
    items.map((candidate) => candidate.name),
    where,
  );
}

export function unknownName(kind: string, name: string, valid: readonly string[], where = ''): FeatureStoreError {
  const known = valid.length === 0 ? '; none has been applied' : valid.length <= 8 ? `; there are ${valid.join(', ')}` : '';
  const message = `there is no ${kind} "${name}"${where}${didYouMean(name, valid) || known}`;
  return new FeatureStoreError('NOT_FOUND', message, { details: { kind, name } });
}
