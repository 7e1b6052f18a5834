/** What a request looks up and computes: on-demand views with their inputs (2.4, 7.3), beside what it asks for itself. */
import { describe, expect, test } from 'vitest';
import type { RegistryDocument, ServiceFeatures, SourceDocument, ViewDocument } from '../../src/registry/document.ts';
import { listSources } from '../../src/registry/references.ts';
import { refuseCollisions, resolveFeatures } from '../../src/registry/resolve.ts';
import { transformView } from '../support/transform-view.ts';

const described = { tags: {}, file: 'features/all.ts' };
const table = { format: 'parquet', paths: ['x'], hivePartitioning: false, options: {} } as const;
const source: SourceDocument = { ...described, name: 'rows', kind: 'batch', table, eventTimestamp: 'at', columns: [] };

function view(name: string, key: string, features: readonly string[]): ViewDocument {
  return {
    ...described,
    name,
    kind: 'batch',
    entities: [],
    source: 'rows',
    keys: [{ name: key, type: 'int64', column: key }],
    asKnown: false,
    features: features.map((feature) => ({ name: feature, type: 'int64', column: feature, hash: feature })),
  };
}

const none = { features: { f: 'int32', g: 'int32' }, transform: '() => ({})' };
const inputs: readonly ServiceFeatures[] = [
  { view: 'user', features: ['age'] },
  { view: 'user', prefix: 'friend', keys: { user_id: 'friend_id' }, features: ['age', 'name'] },
];

function registry(services: Readonly<Record<string, readonly ServiceFeatures[]>> = {}): RegistryDocument {
  return {
    format: 1,
    project: 'test',
    version: 1,
    appliedAt: '2026-03-10T12:00:00Z',
    entities: [],
    sources: [source],
    views: [view('item', 'item_id', ['price', 'f']), view('user', 'user_id', ['age', 'name'])],
    onDemandViews: [
      transformView({ ...none, name: 'clock', request: { zone: 'string' }, inputs }),
      transformView({ ...none, name: 'plain', request: { zone: 'string', n: 'int32' } }),
      transformView({ ...none, name: 'odd', request: { zone: 'int32' } }),
    ],
    services: Object.entries(services).map(([name, features]) => ({ ...described, name, features })),
  };
}

function resolve(
  features: readonly string[] | string,
  options: { keys?: Record<string, Record<string, string>>; full?: boolean } = {},
  document = registry(),
) {
  const selection = typeof features === 'string' ? { service: features } : { features };
  return resolveFeatures(document, { ...selection, fullFeatureNames: options.full ?? false, keys: options.keys ?? {} });
}

/** `label(columns)` of each look-up. */
function lookupsOf({ lookups }: ReturnType<typeof resolve>): string[] {
  return lookups.map(({ label, keys }) => `${label}(${keys.map((key) => key.column).join()})`);
}

function namesOf({ outputs }: ReturnType<typeof resolve>): string[] {
  return outputs.map((output) => output.name);
}

describe('an on-demand view', () => {
  test('brings look-ups of its inputs, and its features come out in the order asked for', () => {
    const resolution = resolve(['clock:g', 'item:price', 'clock:f']);
    expect(namesOf(resolution)).toEqual(['g', 'price', 'f']);
    expect(lookupsOf(resolution)).toEqual(['item(item_id)', 'user(user_id)', 'friend(friend_id)']);
    expect(resolution.transforms.map(({ label, inputs }) => [label, inputs])).toEqual([['clock', [1, 2, 3]]]);
    expect(resolution.features.map(({ lookup, feature }) => [lookup, feature.name])).toEqual([
      [0, 'price'],
      [1, 'age'],
      [2, 'age'],
      [2, 'name'],
    ]);
    expect(resolution.request).toEqual([{ name: 'zone', type: 'string', views: ['clock'] }]);
  });

  test('reads what is asked for itself from the same look-up', () => {
    const resolution = resolve(['clock:f', 'user:name', 'user:age', 'user@friend:age'], {
      keys: { friend: { user_id: 'friend_id' } },
    });
    expect(lookupsOf(resolution)).toEqual(['user(user_id)', 'friend(friend_id)']);
    expect(resolution.features).toHaveLength(4);
    expect(resolution.transforms[0]?.inputs).toEqual([1, 2, 3]);
  });

  test('2.4: is joined as the request joins its views: by keys of the request, else its own, else those of the service', () => {
    expect(lookupsOf(resolve(['clock:f'], { keys: { user: { user_id: 'me' }, friend: { user_id: 'you' } } }))).toEqual([
      'user(me)',
      'friend(you)',
    ]);
    const joined = registry({
      s: [
        { view: 'clock', features: ['f'] },
        { view: 'user', keys: { user_id: 'viewer_id' }, features: ['name'] },
        { view: 'user', prefix: 'friend', keys: { user_id: 'rival_id' }, features: ['name'] },
      ],
    });
    expect(lookupsOf(resolve('s', {}, joined))).toEqual(['user(viewer_id)', 'friend(rival_id)', 'friend(friend_id)']);
  });

  test('does not follow another view that stands under the name of its input', () => {
    expect(lookupsOf(resolve(['item@user:price', 'clock:f'], { keys: { user: {} } }))).toEqual([
      'user(item_id)',
      'user(user_id)',
      'friend(friend_id)',
    ]);
  });

  test('4.2: stands under prefixes, each a transform of its own', () => {
    const resolution = resolve(['clock@home:f', 'clock@away:f', 'plain:f'], { full: true });
    expect(namesOf(resolution)).toEqual(['home__f', 'away__f', 'plain__f']);
    expect(resolution.transforms.map(({ label }) => label)).toEqual(['home', 'away', 'plain']);
    expect(lookupsOf(resolution)).toEqual(['user(user_id)', 'friend(friend_id)']);
    expect(resolution.request).toEqual([
      { name: 'zone', type: 'string', views: ['clock', 'plain'] },
      { name: 'n', type: 'int32', views: ['plain'] },
    ]);
  });

  test('has its sources read ahead', () => {
    expect(listSources(registry(), { features: ['clock:f'] }).map(({ view: { name } }) => name)).toEqual(['user']);
    const service = registry({
      s: [
        { view: 'plain', features: ['f'] },
        { view: 'item', features: ['f'] },
      ],
    });
    expect(listSources(service, { service: 's' }).map(({ view: { name } }) => name)).toEqual(['item']);
  });
});

describe('what cannot be resolved is refused by name', () => {
  test.each([
    [['clok:f'], {}, /there is no feature view "clok"; did you mean "clock"/],
    [['clock:h'], {}, /there is no feature "h" in view "clock"; did you mean "f"/],
    [['clock:f', 'odd:g'], {}, /request value "zone" is string for "clock" and int32 for "odd"; ask for them apart/],
    [['clock@item:f', 'item:price'], {}, /"item" would stand for two views, clock and item/],
    [
      ['clock:f'],
      { keys: { clock: { user_id: 'x' } } },
      /no view or prefix "clock" in this request \(named in keys\); there are user, friend/,
    ],
    [['clock:f'], { keys: { friend: { item_id: 'x' } } }, /no join key "item_id" in view "user" \(named in keys\)/],
  ] as const)('%j %j', (features, options, message) => {
    expect(() => resolve(features, options)).toThrow(message);
  });

  test.each([
    [['clock:f', 'item:f'], [], false, /named "f": feature "clock:f" and feature "item:f"; use full_feature_names/],
    [['clock:f', 'clock:f'], [], false, /named "f": .*; ask for it once/],
    [
      ['clock@c:f'],
      [{ name: 'c__f__status', origin: 'column "c__f__status" of the frame' }],
      true,
      /named "c__f__status": column "c__f__status" of the frame and feature "c:f"/,
    ],
  ] as const)('4.2: columns that meet: %j', (features, taken, statuses, message) => {
    const resolution = resolve(features);
    expect(() => refuseCollisions(resolution, statuses, taken)).toThrow(message);
  });
});
