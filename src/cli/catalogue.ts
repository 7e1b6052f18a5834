/** The catalogue of what is applied, read without a server. */
import type { History } from '../offline/history.ts';
import type { CatalogueKind, NewestEvent } from '../serve/catalogue.ts';

/** Kinds as people type them. */
export const kindWords: Readonly<Record<string, CatalogueKind>> = {
  entities: 'entities',
  sources: 'sources',
  views: 'feature_views',
  'feature-views': 'feature_views',
  services: 'feature_services',
  'feature-services': 'feature_services',
  features: 'features',
};

/** Freshness by source: a source that cannot be read now has none, and asking for its features says why. */
export function freshnessOf(history: History): NewestEvent {
  return (source) => history.newestEventUs(source).catch(() => undefined);
}
