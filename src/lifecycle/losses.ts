/** What readers of the applied definitions would lose by others: what goes, and what comes out in another type or asks for other keys. */
import type {
  OnDemandViewDocument,
  RegistryDocument,
  ServiceDocument,
  ServiceFeatures,
  ViewDocument,
} from '../registry/document.ts';
import { onDemandViewsOf } from '../registry/references.ts';

/** What of a document readers see. */
export type ReadDocument = Pick<RegistryDocument, 'views' | 'onDemandViews' | 'services'>;

export interface Loss {
  readonly kind: 'feature' | 'feature view' | 'on-demand feature view' | 'feature service';
  /** A feature is `view:feature`. */
  readonly name: string;
  /** Ends a sentence that its name begins, such as `is removed`. */
  readonly change: string;
  /** Whose readers are concerned: those of a service, or of features of a view. */
  readonly read: { readonly service: string } | { readonly view: string; readonly features: readonly string[] };
}

type AnyView = ViewDocument | OnDemandViewDocument;

/** In the order of the applied document. */
export function findLosses(before: ReadDocument, after: ReadDocument): readonly Loss[] {
  const fresh = new Map(viewsOf(after).map((view) => [view.name, view]));
  const services = new Map(after.services.map((service) => [service.name, service]));
  return [
    ...viewsOf(before).flatMap((view) => lossesOfView(view, fresh.get(view.name))),
    ...before.services.flatMap((service) => lossesOfService(service, services.get(service.name))),
  ];
}

function viewsOf(document: ReadDocument): readonly AnyView[] {
  return [...document.views, ...onDemandViewsOf(document)];
}

function lossesOfView(old: AnyView, fresh: AnyView | undefined): readonly Loss[] {
  const kind = old.kind === 'onDemand' ? 'on-demand feature view' : 'feature view';
  const read = { view: old.name, features: old.features.map((feature) => feature.name) };
  const whole = (change: string): Loss => ({ kind, name: old.name, change, read });
  if (fresh === undefined) return [whole('is removed')];
  const [asked, asks] = [neededBy(old), neededBy(fresh)];
  const losses = asked === asks ? [] : [whole(`needs ${asks}, and needed ${asked}`)];
  const types = new Map<string, string>(fresh.features.map((feature) => [feature.name, feature.type]));
  const ofFeatures = old.features.flatMap(({ name, type }): readonly Loss[] => {
    const now = types.get(name);
    if (now === type) return [];
    const change = now === undefined ? 'is removed' : `becomes ${now}, and was ${type}`;
    return [{ kind: 'feature', name: `${old.name}:${name}`, change, read: { view: old.name, features: [name] } }];
  });
  return [...losses, ...ofFeatures];
}

/** What a request must bring. */
function neededBy(view: AnyView): string {
  const values = view.kind === 'onDemand' ? view.request : view.keys;
  const texts = values.map(({ name, type }) => `${name} (${type})`).sort();
  return texts.length === 0 ? 'nothing' : texts.join(', ');
}

function lossesOfService(old: ServiceDocument, fresh: ServiceDocument | undefined): readonly Loss[] {
  const loss = (change: string): Loss => ({ kind: 'feature service', name: old.name, change, read: { service: old.name } });
  if (fresh === undefined) return [loss('is removed')];
  const [had, has] = [referencesOf(old), referencesOf(fresh)];
  const gone = [...had.keys()].filter((reference) => !has.has(reference));
  const moved = [...had].filter(([reference, keys]) => has.has(reference) && has.get(reference) !== keys);
  return [
    ...(gone.length === 0 ? [] : [loss(`loses ${gone.join(', ')}`)]),
    ...(moved.length === 0 ? [] : [loss(`joins ${moved.map(([reference]) => reference).join(', ')} by other columns`)]),
  ];
}

/** Reference -> the columns it is joined by. */
function referencesOf({ features }: ServiceDocument): ReadonlyMap<string, string> {
  const spell = ({ view, prefix }: ServiceFeatures, name: string) => `${view}${prefix === undefined ? '' : `@${prefix}`}:${name}`;
  return new Map(
    features.flatMap((part) =>
      part.features.map((name) => [spell(part, name), JSON.stringify(Object.entries(part.keys ?? {}).sort())] as const),
    ),
  );
}
