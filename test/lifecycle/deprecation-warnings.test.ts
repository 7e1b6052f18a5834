/** What readers are told of deprecated services, views and features. */
import { expect, it } from 'vitest';
import { deprecationWarnings } from '../../src/lifecycle/deprecation-warnings.ts';
import type { Deprecation, RegistryDocument } from '../../src/registry/document.ts';

const described = { tags: {}, file: 'features/a.ts' };
const feature = (name: string, deprecated?: Deprecation) => ({
  ...{ name, type: 'int64', column: name, hash: name },
  ...(deprecated && { deprecated }),
});

function registryOf({ service, view, old }: Readonly<Record<string, Deprecation>>): RegistryDocument {
  const base = { kind: 'batch', entities: [], source: 's', keys: [], asKnown: false, ...described } as const;
  const parts = [
    { view: 'stats', prefix: 'other', features: ['fresh'] },
    { view: 'stats', features: ['old', 'fresh'] },
    { view: 'sums', features: ['total'] },
  ];
  return {
    ...{ format: 1, project: 'p', version: 1, appliedAt: '', entities: [], sources: [] },
    views: [
      { ...base, name: 'stats', features: [feature('old', old), feature('fresh')], ...(view && { deprecated: view }) },
      { ...base, name: 'plain', features: [feature('age')] },
    ],
    onDemandViews: [
      {
        ...{ name: 'sums', kind: 'onDemand', request: [], transform: { bundle: '', hash: '' }, ...described },
        inputs: [{ view: 'stats', features: ['old'] }],
        features: [feature('total')],
      },
    ],
    services: [{ name: 'ranker', features: parts, ...described, ...(service && { deprecated: service }) }],
  };
}

const since = { since: '2026-05-01' };

it('nothing is told where nothing is deprecated, or nothing of it is read', () => {
  expect(deprecationWarnings(registryOf({}), { service: 'ranker' })).toEqual([]);
  const registry = registryOf({ service: since, old: since, view: since });
  expect(deprecationWarnings(registry, { features: ['plain:age'] })).toEqual([]);
  expect(deprecationWarnings(registryOf({ old: since }), { features: ['stats:fresh', 'stats@a:fresh'] })).toEqual([]);
});

it('a service, then a view and its features that say more, with all that is said of them', () => {
  const registry = registryOf({
    service: { reason: 'slow', replacement: 'ranker_v2' },
    view: { ...since, removeAfter: '2026-09-01' },
    old: { since: '2026-04-01', reason: 'rounded', replacement: 'stats:fresh' },
  });
  const ofView = {
    ...{ kind: 'deprecated', feature_view: 'stats', features: ['fresh'], since: '2026-05-01', remove_after: '2026-09-01' },
    message: 'feature view "stats" is deprecated since 2026-05-01; it may be removed after 2026-09-01',
  };
  const ofFeature = {
    ...{ kind: 'deprecated', feature_view: 'stats', feature: 'old' },
    ...{ since: '2026-04-01', reason: 'rounded', replacement: 'stats:fresh' },
    message: 'feature "stats:old" is deprecated since 2026-04-01; rounded; use "stats:fresh"',
  };
  const ofService = {
    ...{ kind: 'deprecated', feature_service: 'ranker', reason: 'slow', replacement: 'ranker_v2' },
    message: 'feature service "ranker" is deprecated; slow; use "ranker_v2"',
  };
  expect(deprecationWarnings(registry, { service: 'ranker' })).toEqual([ofService, ofView, ofFeature]);
  expect(deprecationWarnings(registry, { features: ['stats@a:old', 'stats:old'] })).toEqual([ofFeature]);
});

it('what only an on-demand view reads is told with the name of that view', () => {
  const read = { read_by: ['sums'], message: expect.stringMatching(/; it is read for "sums"$/) };
  const registry = registryOf({ old: since });
  expect(deprecationWarnings(registry, { features: ['sums:total'] })).toEqual([
    { kind: 'deprecated', feature_view: 'stats', feature: 'old', ...since, ...read },
  ]);
  expect(deprecationWarnings(registry, { features: ['sums:total', 'stats:old'] })[0]).not.toHaveProperty('read_by');
  expect(deprecationWarnings(registryOf({ view: since }), { features: ['sums:total'] })).toEqual([
    { kind: 'deprecated', feature_view: 'stats', features: ['old'], ...since, ...read },
  ]);
});

it('equal requests get the same list, whatever is applied meanwhile', () => {
  const registry = registryOf({ old: since });
  expect(deprecationWarnings(registry, { service: 'ranker' })).toBe(deprecationWarnings(registry, { service: 'ranker' }));
  expect(deprecationWarnings(registryOf({}), { service: 'ranker' })).toEqual([]);
});
