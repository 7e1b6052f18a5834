/** The schema of what a view or a service answers with: the frame's columns that it needs, then its features. */
import { type Field, field, type Schema } from '../arrow/schema.ts';
import { type KeyType, parseValueType } from '../definitions/value-type.ts';
import { featureField } from '../offline/feature-field.ts';
import type { RegistryDocument, ServiceFeatures } from '../registry/document.ts';
import { onDemandViewsOf } from '../registry/references.ts';

const instant = field('event_timestamp', { id: 'timestamp', unit: 'us', timezone: 'UTC' });

/** undefined for anything that is no view or service. */
export function catalogueSchema(registry: RegistryDocument, kind: string, name: string): Schema | undefined {
  const parts = listParts(registry, kind, name);
  if (parts === undefined) return undefined;
  const columns = new Map<string, Field>();
  const features: Field[] = [];
  const addKeys = (part: ServiceFeatures) => {
    for (const key of registry.views.find((view) => view.name === part.view)?.keys ?? []) {
      const column = part.keys?.[key.name] ?? key.name;
      columns.set(column, featureField(column, { kind: key.type satisfies KeyType }));
    }
  };
  for (const part of parts) {
    const onDemand = onDemandViewsOf(registry).find((view) => view.name === part.view);
    const view = onDemand ?? registry.views.find((candidate) => candidate.name === part.view);
    for (const read of onDemand?.inputs ?? [part]) addKeys(read);
    for (const value of onDemand?.request ?? []) columns.set(value.name, featureField(value.name, parseValueType(value.type)));
    for (const feature of view?.features ?? []) {
      if (!part.features.includes(feature.name)) continue;
      const prefixed = part.prefix === undefined ? feature.name : `${part.prefix}__${feature.name}`;
      features.push(featureField(prefixed, parseValueType(feature.type)));
    }
  }
  return { fields: [...columns.values(), instant, ...features], metadata: new Map() };
}

function listParts(registry: RegistryDocument, kind: string, name: string): readonly ServiceFeatures[] | undefined {
  if (kind === 'feature_services') return registry.services.find((service) => service.name === name)?.features;
  const views = kind === 'feature_views' ? [...registry.views, ...onDemandViewsOf(registry)] : [];
  const view = views.find((candidate) => candidate.name === name);
  return view && [{ view: name, features: view.features.map((feature) => feature.name) }];
}
