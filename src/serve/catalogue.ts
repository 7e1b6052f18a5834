/** The catalogue: what has been applied, as rows that clients show. */
import { formatInstantUs } from '../definitions/literal.ts';
import { didYouMean, FeatureStoreError } from '../errors.ts';
import type {
  FeatureDocument,
  OnDemandViewDocument,
  RegistryDocument,
  ServiceDocument,
  ServiceFeatures,
  SourceDocument,
  ViewDocument,
} from '../registry/document.ts';
import { onDemandViewsOf } from '../registry/references.ts';

export const catalogueKinds = ['entities', 'sources', 'feature_views', 'feature_services', 'features'] as const;
export type CatalogueKind = (typeof catalogueKinds)[number];
export type CatalogueRow = Readonly<Record<string, unknown>> & { readonly name: string };

/** The greatest event timestamp of a source in microseconds; undefined where there is none or it cannot be read now. */
export type NewestEvent = (source: SourceDocument) => Promise<bigint | undefined>;

/** The rows of one kind, in the order of their names. */
export async function listCatalogue(registry: RegistryDocument, kind: string, newestEvent: NewestEvent): Promise<CatalogueRow[]> {
  switch (kind) {
    case 'entities':
      return registry.entities.map(({ name, joinKeys, description, owner, tags }) => ({
        name,
        join_keys: Object.fromEntries(joinKeys.map((key) => [key.name, key.type])),
        description: description ?? null,
        owner: owner ?? null,
        tags,
      }));
    case 'sources':
      return registry.sources.map(describeSource);
    case 'feature_views':
      return byName([
        ...(await Promise.all(
          registry.views.map(async (view) => describeView(view, await newestOf(registry, view, newestEvent))),
        )),
        ...onDemandViewsOf(registry).map((view) => describeOnDemandView(registry, view)),
      ]);
    case 'feature_services':
      return registry.services.map(describeService);
    case 'features': {
      const rows = registry.views.map(async (view) => {
        const newest = await newestOf(registry, view, newestEvent);
        return view.features.map((feature) => describeFeature(view, feature, newest));
      });
      const computed = onDemandViewsOf(registry).flatMap((view) =>
        view.features.map((feature) => describeFeature(view, feature, null)),
      );
      // Views by their names, features in the order of their view.
      return byName([...(await Promise.all(rows)).flat(), ...computed], (row) => String(row.view));
    }
    default:
      throw new FeatureStoreError(
        'INVALID_ARGUMENT',
        `the catalogue has no kind "${kind}"${didYouMean(kind, catalogueKinds)} (there are ${catalogueKinds.join(', ')})`,
      );
  }
}

function byName<T extends CatalogueRow>(rows: readonly T[], nameOf = (row: T): string => row.name): T[] {
  return [...rows].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : nameOf(a) > nameOf(b) ? 1 : 0));
}

/** Everything of one name, of one kind or of any; NOT_FOUND names the nearest. */
export async function describeCatalogue(
  registry: RegistryDocument,
  kind: string | undefined,
  name: string,
  newestEvent: NewestEvent,
): Promise<(CatalogueRow & { readonly kind_of: CatalogueKind })[]> {
  const kinds = kind === undefined ? catalogueKinds : [kind as CatalogueKind];
  const found: (CatalogueRow & { readonly kind_of: CatalogueKind })[] = [];
  const names: string[] = [];
  for (const each of kinds) {
    for (const row of await listCatalogue(registry, each, newestEvent)) {
      names.push(row.name);
      if (row.name === name) found.push({ ...row, kind_of: each });
    }
  }
  if (found.length === 0)
    throw new FeatureStoreError('NOT_FOUND', `nothing named "${name}" has been applied${didYouMean(name, names)}`, {
      details: { name },
    });
  return found;
}

/** The calendar's last instant, in the year 275760, and its mirror image. */
const calendarUs = 8_640_000_000_000_000_000n;

function describeSource(source: SourceDocument): CatalogueRow {
  return {
    name: source.name,
    kind: source.kind,
    format: source.table.format,
    paths: source.table.paths,
    event_timestamp: source.eventTimestamp,
    created_timestamp: source.createdTimestamp ?? null,
    available_at: source.availableAt ?? null,
    timezone: source.timezone ?? null,
    columns: Object.fromEntries(source.columns.map((column) => [column.name, column.type])),
    description: source.description ?? null,
    owner: source.owner ?? null,
    tags: source.tags,
  };
}

function describeView(view: ViewDocument, newest: string | null): CatalogueRow {
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
    description: view.description ?? null,
    owner: view.owner ?? null,
    tags: view.tags,
  };
}

/** Its entities and keys are those of what it reads; beside them stand the values of the request that it needs. */
function describeOnDemandView(registry: RegistryDocument, view: OnDemandViewDocument): CatalogueRow {
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
    description: view.description ?? null,
    owner: view.owner ?? null,
    tags: view.tags,
    inputs: view.inputs.flatMap(listReferences),
    request: Object.fromEntries(view.request.map((value) => [value.name, value.type])),
    transform: view.transform.hash,
  };
}

function listReferences({ view, prefix, features }: ServiceFeatures): string[] {
  return features.map((feature) => (prefix === undefined ? `${view}:${feature}` : `${view}@${prefix}:${feature}`));
}

function describeService(service: ServiceDocument): CatalogueRow {
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
  };
}

function describeFeature(
  view: ViewDocument | OnDemandViewDocument,
  feature: Pick<FeatureDocument, 'name' | 'type' | 'description' | 'default'>,
  newest: string | null,
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
  };
}

function describeDefault(feature: Pick<FeatureDocument, 'default'>): unknown {
  if (feature.default === undefined) return null;
  return 'literal' in feature.default ? feature.default.literal : `fitted(${feature.default.fitted})`;
}

async function newestOf(registry: RegistryDocument, view: ViewDocument, newestEvent: NewestEvent): Promise<string | null> {
  const source = registry.sources.find((candidate) => candidate.name === view.source);
  const us = source === undefined ? undefined : await newestEvent(source);
  // Beyond the years of the calendar there is an instant, but no way to write it.
  return us === undefined || us < -calendarUs || us > calendarUs ? null : formatInstantUs(us);
}
