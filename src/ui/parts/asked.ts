/** What a request for a view or a service must bring: columns of keys and of the request, with their types. */
import { type Catalogue, splitReference } from '../api/catalogue.ts';

export interface Asked {
  readonly features: readonly string[];
  readonly keys: Readonly<Record<string, string>>;
  readonly request: Readonly<Record<string, string>>;
}

export function askedOf(
  { views, services }: Catalogue,
  { service, view }: { readonly service?: string; readonly view?: string },
): Asked {
  const asked = services.find((row) => row.name === service);
  const own = views.find((row) => row.name === view);
  const features = asked?.features ?? own?.features.map((feature) => `${own.name}:${feature}`) ?? [];
  const keys: Record<string, string> = {};
  const request: Record<string, string> = {};
  for (const reference of features) {
    const { view: name, prefix } = splitReference(reference);
    const row = views.find((one) => one.name === name);
    const renamed = asked?.keys[prefix ?? name] ?? {};
    for (const [key, type] of Object.entries(row?.join_keys ?? {})) keys[renamed[key] ?? key] = type;
    Object.assign(request, row?.request ?? {});
  }
  return { features, keys, request };
}
