/** An on-demand view over the first view of a scenario that tells what it is given. */
import type { ViewDocument } from '../../src/registry/document.ts';
import type { Scenario } from './scenario.ts';
import { transformView } from './transform-view.ts';

/** Where the frame has the first view's keys under their own names, features computed from all of its features. */
export function computedFeatures({ views: [view], frame }: Scenario): Scenario['features'] {
  const hasKeys = view?.keys.every((key) => frame.columns.some(({ field }) => field.name === key.name));
  return hasKeys === true ? ['seen', 'at'].map((feature) => ({ view: 'computed', feature })) : [];
}

/** Tells all that a transform is given, and its T. */
export function computedView({ name, features }: ViewDocument) {
  return transformView({
    name: 'computed',
    features: { seen: 'string', at: 'timestamp' },
    inputs: [{ view: name, features: features.map((feature) => feature.name) }],
    before: "const show = (value) => (Array.isArray(value) ? '[' + value.map(show) + ']' : typeof value + ' ' + value)",
    transform: `({ features: { ${name}: row }, now }) => ({
      seen: Object.keys(row).map((key) => key + '=' + show(row[key])).join(';'),
      at: now.epochMicros,
    })`,
  });
}
