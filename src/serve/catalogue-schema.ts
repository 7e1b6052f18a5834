/** The schema of what a view or a service answers with: the frame's columns that it needs, then its features. */
import { type Field, field, type Schema } from '../arrow/schema.ts';
import { type KeyType, parseValueType } from '../definitions/value-type.ts';
import { featureField } from '../offline/feature-field.ts';
import type { RegistryDocument, ServiceFeatures } from '../registry/document.ts';

const instant = field('event_timestamp', { id: 'timestamp', unit: 'us', timezone: 'UTC' });

/** undefined for anything that is no view or service. */
export function catalogueSchema(registry: RegistryDocument, kind: string, name: string): Schema | undefined {
  const parts = listParts(registry, kind, name);
  if (parts === undefined) return undefined;
  const keys = new Map<string, Field>();
  const features: Field[] = [];
  for (const part of parts) {
    const view = registry.views.find((candidate) => candidate.name === part.view);
    for (const key of view?.keys ?? []) {
      const column = part.keys?.[key.name] ?? key.name;
      keys.set(column, featureField(column, { kind: key.type satisfies KeyType }));
    }
    for (const feature of view?.features ?? []) {
      if (!part.features.includes(feature.name)) continue;
      const prefixed = part.prefix === undefined ? feature.name : `${part.prefix}__${feature.name}`;
      features.push(featureField(prefixed, parseValueType(feature.type)));
    }
  }
  return { fields: [...keys.values(), instant, ...features], metadata: new Map() };
}

function listParts(registry: RegistryDocument, kind: string, name: string): readonly ServiceFeatures[] | undefined {
  if (kind === 'feature_services') return registry.services.find((service) => service.name === name)?.features;
  const view = kind === 'feature_views' ? registry.views.find((candidate) => candidate.name === name) : undefined;
  return view && [{ view: name, features: view.features.map((feature) => feature.name) }];
}
