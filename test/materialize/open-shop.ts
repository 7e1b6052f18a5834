/** A small repository for materialization: items with prices over days, in Parquet, with an LMDB store and a clock that is set. */
import { mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseConfig } from '../../src/config.ts';
import type { LiteralValue } from '../../src/definitions/literal.ts';
import { batchSource, entity, featureView, parquet } from '../../src/index.ts';
import { createMaterialize, type Materialize } from '../../src/materialize/materialize.ts';
import { silentLogger } from '../../src/observe.ts';
import type { History, HistoryOptions } from '../../src/offline/history.ts';
import { compileLookup } from '../../src/online/encoding/lookup.ts';
import { openLmdbStore } from '../../src/online/lmdb-store.ts';
import { createOnlineReader } from '../../src/online/retrieve/reader.ts';
import type { OnlineStore } from '../../src/online/store.ts';
import { compileOnlineView } from '../../src/online/view.ts';
import { bindRepository } from '../../src/registry/bind.ts';
import type { RegistryDocument, ViewDocument } from '../../src/registry/document.ts';
import type { Definition } from '../../src/registry/repository.ts';
import { writeTables } from '../integration/make-store.ts';
import { openTestHistory } from '../support/answer-with-engine.ts';

export const item = entity('item', { joinKeys: { item_id: 'int64' } });

/** 2026-03-10T12:00:00Z. */
export const noonUs = 1_773_144_000_000_000n;
export const hourUs = 3_600_000_000n;

export interface Shop {
  readonly root: string;
  readonly history: History;
  readonly store: OnlineStore;
  readonly materialize: Materialize;
  clockUs: bigint;
  registry: RegistryDocument;
  /** Writes one file of the items' prices. */
  write(file: string, sql: string): Promise<void>;
  /** Applies definitions: the default ones with what is given on top. */
  define(options?: ShopOptions): Promise<void>;
  /** The values of an item's features at the clock's time. */
  read(id: bigint, view?: string): Promise<readonly (LiteralValue | undefined)[] | undefined>;
  close(): Promise<void>;
}

export interface ShopOptions {
  readonly source?: Partial<Parameters<typeof batchSource>[1]>;
  readonly view?: Partial<Parameters<typeof featureView>[1]>;
  readonly more?: readonly unknown[];
}

export async function openShop(options: Partial<HistoryOptions> & { readonly store?: OnlineStore } = {}): Promise<Shop> {
  const root = mkdtempSync(join(tmpdir(), 'shop-'));
  mkdirSync(join(root, 'data'));
  mkdirSync(join(root, 'written'));
  const history = await openTestHistory(root, { archiveDirectory: join(root, 'archive'), ...options });
  const store = options.store ?? openLmdbStore(join(root, 'online'));
  const shop: Shop = {
    root,
    history,
    store,
    clockUs: noonUs,
    registry: undefined as unknown as RegistryDocument,
    materialize: createMaterialize({
      history,
      store,
      registry: () => shop.registry,
      logger: silentLogger,
      nowUs: () => shop.clockUs,
    }),
    async write(file, sql) {
      // A file that is still being written must not match the table's glob.
      await writeTables(join(root, 'written'), [[file, sql]]);
      renameSync(join(root, 'written', file), join(root, 'data', file));
    },
    async define({ source = {}, view = {}, more = [] } = {}) {
      const prices = batchSource('prices', {
        table: parquet('data/*.parquet'),
        eventTimestamp: 'event_timestamp',
        createdTimestamp: 'created_timestamp',
        ...source,
      });
      const itemPrices = featureView('item_prices', {
        entities: [item],
        source: prices,
        features: { price: { type: 'float64' }, label: { type: 'string' } },
        ...view,
      } as Parameters<typeof featureView>[1]);
      const definitions = [item, prices, itemPrices, ...more].map((definition) => ({
        definition: definition as Definition,
        file: 'features/shop.ts',
      }));
      const repository = { root, config: parseConfig({ project: 'shop' }, root), definitions };
      const bound = await bindRepository(repository, history);
      shop.registry = { ...bound, version: 1, appliedAt: '2026-03-10T12:00:00Z' };
    },
    async read(id, name = 'item_prices') {
      const view = shop.registry.views.find((candidate) => candidate.name === name) as ViewDocument;
      const features = view.features.map((feature) => feature.name);
      const lookup = compileLookup(compileOnlineView(view, shop.registry), features);
      const answer = await createOnlineReader(store, 'shop').read([{ lookup, entities: [[id]] }], shop.clockUs);
      return answer.rows[0]?.[0]?.values;
    },
    async close() {
      await history.close();
      await store.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
  return shop;
}

/** Items `from` up to `to` on day `day` of March 2026 at 10:00, created an hour later: price = id + day / 100 + `shift`. */
export function pricesOf(from: number, to: number, day: number, shift = 0): string {
  return `
    select i::bigint as item_id, timestamptz '2026-03-01 10:00:00+00' + to_days(${day - 1}) as event_timestamp,
      timestamptz '2026-03-01 11:00:00+00' + to_days(${day - 1}) + to_seconds(${shift}) as created_timestamp,
      (i + ${day} / 100 + ${shift})::double as price, 'item ' || i || ' day ' || ${day} as label
    from range(${from}, ${to}) as t(i)`;
}
