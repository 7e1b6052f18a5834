/** What readers of deprecated services, views and features are told beside their answers. */
import type { Deprecation, OnDemandViewDocument, RegistryDocument, ViewDocument } from '../registry/document.ts';
import { findNamed, findView, listWanted, onDemandViewsOf, type Selection } from '../registry/references.ts';

/** As it travels in JSON: of a service, of a view, or of one feature of a view. */
export interface DeprecationWarning {
  readonly kind: 'deprecated';
  readonly feature_service?: string;
  readonly feature_view?: string;
  /** Where this feature is deprecated, and not its whole view. */
  readonly feature?: string;
  /** Of a deprecated view those that are read. */
  readonly features?: readonly string[];
  /** On-demand views that read it, where nobody asked for it by its own name. */
  readonly read_by?: readonly string[];
  readonly since?: string;
  readonly reason?: string;
  readonly replacement?: string;
  readonly remove_after?: string;
  /** All of it in a sentence. */
  readonly message: string;
}

type Warnings = readonly DeprecationWarning[];
type AnyView = ViewDocument | OnDemandViewDocument;

const none: Warnings = Object.freeze([]);
const known = new WeakMap<RegistryDocument, (asked: Selection) => Warnings>();

/**
 * Of what is asked for and of what on-demand views read for it: the service first, then in the order asked for. Names that are not there
 * have been refused before.
 */
export function deprecationWarnings(registry: RegistryDocument, asked: Selection): Warnings {
  let warn = known.get(registry);
  if (warn === undefined) {
    warn = hasDeprecated(registry) ? rememberServices(registry) : () => none;
    known.set(registry, warn);
  }
  return warn(asked);
}

function hasDeprecated({ views, onDemandViews = [], services }: RegistryDocument): boolean {
  const all: readonly AnyView[] = [...views, ...onDemandViews];
  const documents = [...services, ...all, ...all.flatMap((view): readonly { deprecated?: Deprecation }[] => view.features)];
  return documents.some(({ deprecated }) => deprecated !== undefined);
}

/** A service is asked for again and again. */
function rememberServices(registry: RegistryDocument): (asked: Selection) => Warnings {
  const ofServices = new Map<string, Warnings>();
  return (asked) => {
    if (asked.service == null) return listWarnings(registry, asked);
    const warnings = ofServices.get(asked.service) ?? listWarnings(registry, asked);
    ofServices.set(asked.service, warnings);
    return warnings;
  };
}

function listWarnings(registry: RegistryDocument, asked: Selection): Warnings {
  const service = registry.services.find(({ name }) => name === asked.service);
  const ofService =
    service?.deprecated && warningOf('feature service', service.name, { feature_service: service.name }, service.deprecated);
  return [...(ofService === undefined ? [] : [ofService]), ...listReads(registry, asked).flatMap(warningsOfView)];
}

/** What is read of one view: each feature with the on-demand views that read it, none where it was asked for itself. */
interface ViewReads {
  readonly view: AnyView;
  readonly features: Map<string, Set<string>>;
}

function listReads(registry: RegistryDocument, asked: Selection): readonly ViewReads[] {
  const reads = new Map<string, ViewReads>();
  const readsOf = (view: string) => {
    const found = reads.get(view) ?? { view: findView(registry, view), features: new Map() };
    reads.set(view, found);
    return found;
  };
  const wanted = listWanted(registry, asked);
  for (const { view, feature } of wanted) readsOf(view).features.set(feature, new Set());
  const computed = onDemandViewsOf(registry).filter(({ name }) => reads.has(name));
  for (const reader of computed) {
    for (const { view, features } of reader.inputs) {
      const read = readsOf(view).features;
      for (const feature of features) {
        const readers = read.get(feature) ?? new Set([reader.name]);
        if (readers.size > 0) read.set(feature, readers.add(reader.name));
      }
    }
  }
  return [...reads.values()];
}

/** Of the view, and of those of its features that say something of their own. */
function warningsOfView({ view, features }: ViewReads): Warnings {
  const deprecatedOf = (name: string) =>
    findNamed<{ name: string; deprecated?: Deprecation }>(view.features, 'feature', name).deprecated;
  const own = [...features.keys()].filter((name) => deprecatedOf(name) !== undefined);
  const others = [...features.keys()].filter((name) => !own.includes(name));
  const readBy = (names: readonly string[]) => {
    const readers = names.map((name) => features.get(name) as Set<string>);
    return readers.some(({ size }) => size === 0) ? [] : [...new Set(readers.flatMap((one) => [...one]))];
  };
  const ofFeatures = own.map((name) =>
    warningOf(
      'feature',
      `${view.name}:${name}`,
      { feature_view: view.name, feature: name },
      deprecatedOf(name) as Deprecation,
      readBy([name]),
    ),
  );
  if (view.deprecated === undefined || others.length === 0) return ofFeatures;
  const kind = view.kind === 'onDemand' ? 'on-demand feature view' : 'feature view';
  const place = { feature_view: view.name, features: others };
  return [warningOf(kind, view.name, place, view.deprecated, readBy(others)), ...ofFeatures];
}

function warningOf(
  kind: string,
  name: string,
  place: Pick<DeprecationWarning, 'feature_service' | 'feature_view' | 'feature' | 'features'>,
  { since, reason, replacement, removeAfter }: Deprecation,
  readBy: readonly string[] = [],
): DeprecationWarning {
  const parts = [
    `${kind} "${name}" is deprecated${since === undefined ? '' : ` since ${since}`}`,
    ...(reason === undefined ? [] : [reason]),
    ...(replacement === undefined ? [] : [`use "${replacement}"`]),
    ...(removeAfter === undefined ? [] : [`it may be removed after ${removeAfter}`]),
    ...(readBy.length === 0 ? [] : [`it is read for ${readBy.map((view) => `"${view}"`).join(', ')}`]),
  ];
  const facts = { since, reason, replacement, remove_after: removeAfter, read_by: readBy.length === 0 ? undefined : readBy };
  const given = Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));
  return { kind: 'deprecated', ...place, ...given, message: parts.join('; ') };
}
