/** Rows of the catalogue: what is applied under one name, with who has read it, as far as that is known. */
import { joinReaders, memberOf, type Readers, type Usage } from '../lifecycle/usage-records.ts';
import type {
  FeatureDocument,
  OnDemandViewDocument,
  RegistryDocument,
  ServiceDocument,
  ServiceFeatures,
  ViewDocument,
} from '../registry/document.ts';
import type { ViewFreshness } from '../validate/freshness.ts';

export type CatalogueRow = Readonly<Record<string, unknown>> & { readonly name: string };

/** What is known of a view beside its definition; no freshness where the online store cannot be asked. */
export interface ViewFacts {
  readonly newest: string | null;
  readonly freshness: ViewFreshness | undefined;
}

export function describeView(view: ViewDocument, { newest, freshness }: ViewFacts, usage: Usage | undefined): CatalogueRow {
  return {
    name: view.name,
    kind: view.kind,
    entities: view.entities,
    source: view.source,
    join_keys: Object.fromEntries(view.keys.map((key) => [key.name, key.type])),
    ttl: view.ttl ?? null,
    delay: view.delay ?? null,
    as_known: view.asKnown,
    features: view.features.map((feature) => feature.name),
    newest_event: newest,
    ...showFreshness(view.freshness, freshness),
    ...readersOfView(usage, view.name),
    description: view.description ?? null,
    owner: view.owner ?? null,
    tags: view.tags,
    deprecated: view.deprecated ?? null,
  };
}

/** Its entities and keys are those of what it reads; beside them stand the values of the request that it needs. */
export function describeOnDemandView(
  registry: RegistryDocument,
  view: OnDemandViewDocument,
  usage: Usage | undefined,
): CatalogueRow {
  const read = view.inputs.flatMap((input) => registry.views.filter((candidate) => candidate.name === input.view));
  const keys = view.inputs.flatMap((input) =>
    (registry.views.find((candidate) => candidate.name === input.view)?.keys ?? []).map((key) => [
      input.keys?.[key.name] ?? key.name,
      key.type,
    ]),
  );
  return {
    name: view.name,
    kind: 'on_demand',
    entities: [...new Set(read.flatMap((batch) => batch.entities))],
    source: null,
    join_keys: Object.fromEntries(keys),
    ttl: null,
    delay: null,
    as_known: null,
    features: view.features.map((feature) => feature.name),
    newest_event: null,
    ...showFreshness(undefined, undefined),
    ...readersOfView(usage, view.name),
    description: view.description ?? null,
    owner: view.owner ?? null,
    tags: view.tags,
    deprecated: view.deprecated ?? null,
    inputs: view.inputs.flatMap(listReferences),
    request: Object.fromEntries(view.request.map((value) => [value.name, value.type])),
    transform: view.transform.hash,
  };
}

function listReferences({ view, prefix, features }: ServiceFeatures): string[] {
  return features.map((feature) => (prefix === undefined ? `${view}:${feature}` : `${view}@${prefix}:${feature}`));
}

export function describeService(service: ServiceDocument, usage: Usage | undefined): CatalogueRow {
  return {
    name: service.name,
    features: service.features.flatMap(listReferences),
    keys: Object.fromEntries(
      service.features.flatMap(({ view, prefix, keys }) => (keys === undefined ? [] : [[prefix ?? view, keys]])),
    ),
    description: service.description ?? null,
    owner: service.owner ?? null,
    tags: service.tags,
    deprecated: service.deprecated ?? null,
    ...showReaders(usage && (usage.services.get(service.name) ?? {})),
  };
}

export function describeFeature(
  view: ViewDocument | OnDemandViewDocument,
  feature: Pick<FeatureDocument, 'name' | 'type' | 'description' | 'default' | 'deprecated'>,
  newest: string | null,
  usage: Usage | undefined,
): CatalogueRow {
  return {
    name: `${view.name}:${feature.name}`,
    view: view.name,
    feature: feature.name,
    type: feature.type,
    default: describeDefault(feature),
    description: feature.description ?? null,
    owner: view.owner ?? null,
    newest_event: newest,
    deprecated: feature.deprecated ?? view.deprecated ?? null,
    ...showReaders(usage && (memberOf(usage.features.get(view.name) ?? {}, feature.name) ?? {})),
  };
}

function readersOfView(usage: Usage | undefined, view: string) {
  return showReaders(usage && joinReaders(Object.values(usage.features.get(view) ?? {})));
}

function showFreshness(objective: string | undefined, measured: ViewFreshness | undefined) {
  return {
    freshness: objective ?? null,
    freshness_state: measured?.state ?? null,
    event_age_seconds: measured?.event.seconds ?? null,
    processing_age_seconds: measured?.processing.seconds ?? null,
  };
}

/** The latest first; null where it is not known now, which is not the same as nobody. */
function showReaders(readers: Readers | undefined) {
  return { last_read: Object.values(readers ?? {})[0] ?? null, readers: readers ?? null };
}

function describeDefault(feature: Pick<FeatureDocument, 'default'>): unknown {
  if (feature.default === undefined) return null;
  return 'literal' in feature.default ? feature.default.literal : `fitted(${feature.default.fitted})`;
}
