/** What apply refuses, held to asking again: what was read must still be answered, from the same keys, in the same types. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkRefused, describeRefused, findRefused } from '../../src/lifecycle/refuse-losses.ts';
import { instantOf, type Usage } from '../../src/lifecycle/usage-records.ts';
import type { RegistryDocument } from '../../src/registry/document.ts';
import { resolveFeatures } from '../../src/registry/resolve.ts';

const types = ['int64', 'string'] as const;
const plain = { tags: {}, file: 'features/all.ts' };

/** feature -> type; undefined: not there. */
const featuresOf = fc.record({
  a: fc.option(fc.constantFrom(...types)),
  b: fc.option(fc.constantFrom(...types)),
  z: fc.constant('int64'),
});
const viewOf = fc.record({ key: fc.constantFrom('uid:int64', 'uid:string', 'sid:int64'), features: featuresOf });
const shape = fc.record({
  v: viewOf,
  w: fc.option(viewOf),
  computed: fc.option(fc.record({ request: fc.constantFrom('factor:float64', 'factor:int64'), type: fc.constantFrom(...types) })),
  service: fc.option(
    fc.record({ picked: fc.subarray(['v:a', 'v:z', 'w:z'], { minLength: 1 }), column: fc.constantFrom('uid', 'other') }),
  ),
});
type Shape = typeof shape extends fc.Arbitrary<infer T> ? T : never;

function documentOf({ v, w, computed, service }: Shape): RegistryDocument {
  const views = Object.entries({ v, w }).flatMap(([name, view]) => {
    if (view === null) return [];
    const [key = '', type] = view.key.split(':');
    const features = Object.entries(view.features).flatMap(([feature, kind]) =>
      kind === null ? [] : [{ name: feature, type: kind, column: feature, hash: '' }],
    );
    return [
      {
        name,
        kind: 'batch',
        entities: ['user'],
        source: 's',
        keys: [{ name: key, type, column: key }],
        asKnown: false,
        features,
        ...plain,
      },
    ];
  });
  const onDemandViews =
    computed === null
      ? []
      : [
          {
            name: 'computed',
            kind: 'onDemand',
            request: [named(computed.request)],
            inputs: [{ view: 'v', features: ['z'] }],
            features: [{ name: 'c', type: computed.type }],
            transform: { bundle: '', hash: '' },
            ...plain,
          },
        ];
  const has = (reference: string) =>
    views.some((view) => view.features.some((feature) => `${view.name}:${feature.name}` === reference));
  const picked = (service?.picked ?? []).filter(has).map((reference) => reference.split(':') as [string, string]);
  const parts = ['v', 'w'].flatMap((view) => {
    const features = picked.filter(([of]) => of === view).map(([, feature]) => feature);
    const key = views.find(({ name }) => name === view)?.keys[0]?.name as string;
    return features.length === 0 ? [] : [{ view, prefix: view, features, keys: { [key]: service?.column } }];
  });
  const services = service === null || parts.length === 0 ? [] : [{ name: 'all', features: parts, ...plain }];
  const sources = [
    {
      name: 's',
      kind: 'batch',
      table: { format: 'parquet', paths: [], hivePartitioning: false, options: {} },
      eventTimestamp: 'at',
      columns: [],
      ...plain,
    },
  ];
  return {
    format: 1,
    project: 'p',
    version: 1,
    appliedAt: '',
    entities: [],
    sources,
    views,
    onDemandViews,
    services,
  } as unknown as RegistryDocument;
}

function named(text: string) {
  const [name, type] = text.split(':');
  return { name, type };
}

/** What comes out by name, and what must be brought; undefined where it cannot be asked. */
function answerOf(registry: RegistryDocument, asked: { features?: string[]; service?: string }) {
  try {
    const { lookups, features, transforms, outputs, request } = resolveFeatures(registry, {
      ...asked,
      keys: {},
      fullFeatureNames: false,
    });
    const columns = outputs.map((output): [string, string] =>
      output.kind === 'feature'
        ? [output.name, features[output.feature]?.feature.type as string]
        : [output.name, transforms[output.transform]?.view.features[output.output]?.type as string],
    );
    const inputs = features.map(({ lookup, feature }) => `${lookups[lookup]?.view.name}:${feature.name}:${feature.type}`);
    const brought = lookups.flatMap(({ view, keys }) =>
      keys.map((key) => `${view.name} ${key.column} ${key.joinKey} ${key.type}`),
    );
    return { columns: new Map(columns), inputs, brought: [...brought, ...request.map(({ name, type }) => `${name} ${type}`)] };
  } catch {
    return undefined;
  }
}

const nowMs = Date.parse('2026-06-01T00:00:00Z');
const recent = instantOf(nowMs - 29 * 86_400_000);
const old = instantOf(nowMs - 31 * 86_400_000);

test('exactly what was read of late and cannot be read again as before is refused', async () => {
  let refusals = 0;
  await fc.assert(
    fc.asyncProperty(
      shape,
      shape,
      fc.constantFrom('v:a', 'v:b', 'w:z', 'computed:c', 'all'),
      fc.boolean(),
      async (one, other, read, isRecent) => {
        const [before, after] = [documentOf(one), documentOf(other)];
        const asked = read === 'all' ? { service: 'all' } : { features: [read] };
        const was = answerOf(before, asked);
        fc.pre(was !== undefined);
        const at = isRecent ? recent : old;
        const touched = [
          ...(was?.inputs ?? []).map((input) => input.split(':').slice(0, 2)),
          ...(read === 'all' ? [] : [read.split(':')]),
        ];
        const features = new Map<string, Record<string, Record<string, string>>>();
        for (const [view = '', feature = ''] of touched) features.set(view, { ...features.get(view), [feature]: { ranker: at } });
        const usage: Usage = { features, services: new Map(read === 'all' ? [['all', { ranker: at }]] : []) };
        const refused = await findRefused(before, after, async () => usage, nowMs);
        const is = answerOf(after, asked);
        const isSame =
          is !== undefined &&
          [...(was?.columns ?? [])].every(([name, type]) => is.columns.get(name) === type) &&
          (was?.inputs ?? []).every((input) => is.inputs.includes(input)) &&
          (was?.brought ?? []).every((needed) => is.brought.includes(needed));
        if (!isRecent) expect(refused).toEqual([]);
        else expect({ isSame, refused: refused.length > 0 }).toEqual({ isSame, refused: !isSame });
        refusals += refused.length;
      },
    ),
    { numRuns: 3000 },
  );
  expect(refusals).toBeGreaterThan(100);
});

test('usage is not read where nothing is lost', async () => {
  const document = documentOf({
    v: { key: 'uid:int64', features: { a: 'int64', b: null, z: 'int64' } },
    w: null,
    computed: null,
    service: null,
  });
  const away = async () => {
    throw new Error('the store is away');
  };
  expect(await findRefused(document, document, away)).toEqual([]);
  expect(await findRefused(undefined, document, away)).toEqual([]);
  await expect(findRefused(document, { views: [], services: [] }, away)).rejects.toThrow('the store is away');
});

test('the refusal names what goes, who read it and when, and what to do', async () => {
  const readers = { ranker: recent, trainer: recent, nightly: recent, anonymous: recent };
  const refused = [{ kind: 'feature', name: 'v:a', change: 'is removed', last_read: recent, readers }] as const;
  expect(describeRefused(refused[0])).toBe(
    `feature v:a is removed; read by ranker (${recent}), trainer (${recent}), nightly (${recent}) and 1 more`,
  );
  expect(() => checkRefused(refused)).toThrow(/read in the last 30 days[\s\S]*v:a is removed[\s\S]*--force/);
  expect(() => checkRefused([])).not.toThrow();
});
