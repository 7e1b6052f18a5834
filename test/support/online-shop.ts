/** Definitions of a shop as applied, written by hand, and a store of it for tests of online retrieval. */
import { silentLogger } from '../../src/observe.ts';
import type { OnlineFeatures } from '../../src/online/retrieve/answer.ts';
import { createOnlineFacts, type OnlineFacts } from '../../src/online/retrieve/facts.ts';
import { createOnlineFeatures } from '../../src/online/retrieve/retrieve.ts';
import type { OnlineStore } from '../../src/online/store.ts';
import { compileOnlineView } from '../../src/online/view.ts';
import { createOnlineWriter, type WrittenRow } from '../../src/online/write/writer.ts';
import type { FeatureDocument, RegistryDocument, ViewDocument } from '../../src/registry/document.ts';
import { transformView } from './transform-view.ts';

const described = { tags: {}, file: 'features/shop.ts' };
const table = { format: 'parquet', paths: ['shop.parquet'], hivePartitioning: false, options: {} } as const;

function feature(name: string, type: string, more: Partial<FeatureDocument> = {}): FeatureDocument {
  return { name, type, column: name, hash: `${name}:${type}`, ...more };
}

function view(name: string, keys: ViewDocument['keys'], features: readonly FeatureDocument[], ttl?: string): ViewDocument {
  const entities = keys.map(({ name: key }) => key.replace('_id', ''));
  return { ...described, name, kind: 'batch', entities, source: 'shop', keys, ttl, asKnown: false, features };
}

const user = { name: 'user_id', type: 'int64', column: 'user_id' } as const;
const item = { name: 'item_id', type: 'string', column: 'item_id' } as const;

export const shop: RegistryDocument = {
  format: 1,
  project: 'shop',
  version: 1,
  appliedAt: '2026-03-10T12:00:00Z',
  entities: [
    { ...described, name: 'user', joinKeys: [{ name: 'user_id', type: 'int64' }] },
    { ...described, name: 'item', joinKeys: [{ name: 'item_id', type: 'string' }] },
  ],
  sources: [{ ...described, name: 'shop', kind: 'batch', table, eventTimestamp: 't', columns: [] }],
  views: [
    view(
      'profile',
      [user],
      [feature('age', 'int32', { default: { literal: -1 } }), feature('score', 'float64', { default: { fitted: 'mean' } })],
    ),
    view('item_stats', [item], [feature('price', 'decimal(10,2)'), feature('tags', 'list(string)')], '1d'),
    view('affinity', [user, item], [feature('visits', 'int64')]),
    view('global', [], [feature('rate', 'float64')]),
  ],
  onDemandViews: [
    transformView({
      name: 'clock',
      request: { zone: 'string', limit: 'int64' },
      features: { hour: 'int32', over: 'bool' },
      inputs: [{ view: 'profile', features: ['age'] }],
      transform: `({ request, features, now }) => ({
        hour: now.in(request.zone).hour,
        over: request.limit === null ? null : BigInt(features.profile.age) > request.limit,
      })`,
    }),
  ],
  services: [
    {
      ...described,
      name: 'ranker',
      features: [
        { view: 'profile', features: ['age'] },
        { view: 'item_stats', prefix: 'candidate', keys: { item_id: 'candidate_id' }, features: ['price'] },
        { view: 'clock', features: ['hour'] },
      ],
    },
  ],
};

export const noonUs = BigInt(Date.parse('2026-03-10T12:00:00Z')) * 1000n;

export interface ShopServing {
  readonly online: OnlineFeatures;
  readonly facts: OnlineFacts;
  /** The keys of each read of the store. */
  readonly reads: number[];
}

/** Serves at noon, and counts what is read. */
export function serveShop(store: OnlineStore, registry: () => RegistryDocument = () => shop): ShopServing {
  const reads: number[] = [];
  const counted: OnlineStore = {
    ...store,
    read: (keys, signal) => {
      reads.push(keys.length);
      return store.read(keys, signal);
    },
  };
  const readMaterialized = async (views: readonly string[]) => views.map((name) => name !== 'global');
  const facts = createOnlineFacts({ store, project: 'shop', registry, readMaterialized, logger: silentLogger });
  const online = createOnlineFeatures({ store: counted, project: 'shop', registry, facts, nowUs: () => noonUs });
  return { online, facts, reads };
}

/** Rows of a view that happened some microseconds before noon. */
export async function writeShop(
  store: OnlineStore,
  name: string,
  rows: readonly { keys: WrittenRow['keys']; values: WrittenRow['row']['values']; agoUs?: bigint }[],
): Promise<void> {
  const document = shop.views.find((candidate) => candidate.name === name) as ViewDocument;
  const times = { createdUs: null, availableUs: null, pushed: false };
  const written = rows.map(({ keys, values, agoUs = 1n }) => ({ keys, row: { eventUs: noonUs - agoUs, ...times, values } }));
  await createOnlineWriter(store, 'shop').write(compileOnlineView(document, shop), written, noonUs);
}
