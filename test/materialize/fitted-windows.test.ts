/** Today's fitted defaults of aggregates (rules 5.3, 5.4): computed from the events as training computes them, and kept for serving. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { count, eventSource, fitted, lastN, mean, parquet, rate, streamFeatureView } from '../../src/index.ts';
import { fitToday } from '../../src/materialize/fitted-today.ts';
import { silentLogger } from '../../src/observe.ts';
import { createOnlineRecords } from '../../src/online/records.ts';
import { fittedDefinition, readFittedDefaults } from '../../src/online/retrieve/defaults.ts';
import { writeTables } from '../integration/make-store.ts';
import { computeNaively, type NaiveWindowEvent, type NaiveWindowFeature } from '../support/naive-windows.ts';
import { item, noonUs, openShop, pricesOf, type Shop } from './open-shop.ts';

let shop: Shop;

beforeEach(async () => {
  shop = await openShop();
  await shop.write('a.parquet', pricesOf(0, 10, 9));
  await writeTables(shop.root, [['clicks.parquet', clicksOf(events)]]);
});
afterEach(async () => {
  await shop.close();
});

const hourUs = 3_600_000_000n;

/** Some of each of five items over three days, some without a value, one key without any in a window. */
const events: readonly NaiveWindowEvent[] = Array.from({ length: 60 }, (_, at) => ({
  key: BigInt(at % 5),
  timeUs: noonUs - BigInt((at * 7919) % 72) * hourUs - BigInt(at),
  isValid: true,
  id: null,
  values: { seconds: at % 11 === 0 ? null : at / 4, kind: at % 3 === 0 ? 'click' : 'view' },
}));

function clicksOf(rows: readonly NaiveWindowEvent[]): string {
  const values = rows.map(
    ({ key, timeUs, values: { seconds, kind } }) =>
      `(${key}::bigint, make_timestamptz(${timeUs}), ${seconds}::double, '${kind}')`,
  );
  return `select * from (values ${values.join(', ')}) as t(item_id, "at", seconds, kind)`;
}

const clicks = eventSource('clicks', {
  history: parquet('clicks.parquet'),
  eventTimestamp: 'at',
  columns: { item_id: 'int64', seconds: 'float64', kind: 'string' },
});

const activity = streamFeatureView('activity', {
  entities: [item],
  source: clicks,
  features: {
    mean_seconds: mean('seconds', { window: '1d', default: fitted('mean') }),
    middle: mean('seconds', { window: '3d', where: "kind = 'view'", default: fitted('median') }),
    click_rate: rate({ condition: "kind = 'click'", window: '2d', default: fitted('mean') }),
    last_kinds: lastN('kind', { n: 2, window: '1d', default: fitted('mode') }),
    n: count({ window: '1d' }),
  },
});

const isKind = (kind: string) => (event: NaiveWindowEvent) => event.values.kind === kind;
const seconds = (event: NaiveWindowEvent) => event.values.seconds as number | null;
const float = { kind: 'float64' } as const;
const dayUs = 24n * hourUs;
const naive: readonly NaiveWindowFeature[] = [
  {
    name: 'mean_seconds',
    function: 'mean',
    type: float,
    value: seconds,
    windowUs: dayUs,
    hopUs: hourUs,
    size: 0,
    default: { fitted: 'mean' },
    resultType: float,
  },
  {
    name: 'middle',
    function: 'mean',
    type: float,
    value: seconds,
    where: isKind('view'),
    windowUs: 3n * dayUs,
    hopUs: hourUs,
    size: 0,
    default: { fitted: 'median' },
    resultType: float,
  },
  {
    name: 'click_rate',
    function: 'rate',
    type: float,
    condition: isKind('click'),
    windowUs: 2n * dayUs,
    hopUs: hourUs,
    size: 0,
    default: { fitted: 'mean' },
    resultType: float,
  },
  {
    name: 'last_kinds',
    function: 'last_n',
    type: { kind: 'string' },
    value: (event) => event.values.kind as string,
    windowUs: dayUs,
    hopUs: hourUs,
    size: 2,
    default: { fitted: 'mode' },
    resultType: { kind: 'list', element: { kind: 'string' } },
  },
];

async function storedDefaults() {
  const view = shop.registry.views.find(({ name }) => name === 'activity');
  if (view === undefined) throw new Error('the view is not applied');
  const stored = await readFittedDefaults(createOnlineRecords(shop.store, 'shop'), [view]);
  return new Map(view.features.map((feature) => [feature.name, stored.get(fittedDefinition(view, feature))]));
}

test('those of windows are the numbers that a row of training gets at the same midnight', async () => {
  await shop.define({ more: [clicks, activity] });
  const parts = {
    history: shop.history,
    store: shop.store,
    registry: () => shop.registry,
    logger: silentLogger,
    nowUs: () => shop.clockUs,
  };
  const signal = new AbortController().signal;
  const report = await fitToday(parts, signal);
  expect(report).toEqual({ computed: naive.map(({ name }) => `activity:${name}`), known: 0, failed: [] });
  const stored = await storedDefaults();
  for (const feature of naive) {
    // An item without any event gets the default, of the day that the clock is in.
    const { value, isDefault } = computeNaively({ delayUs: 0n }, feature, events, 999n, shop.clockUs);
    expect(isDefault, feature.name).toBe(true);
    const kept = stored.get(feature.name);
    expect(kept?.day, feature.name).toBe('2026-03-10');
    if (typeof value === 'number') expect(kept?.value, feature.name).toBeCloseTo(value, 9);
    else expect(kept?.value, feature.name).toEqual(value);
  }
  expect(stored.get('n')).toBeUndefined();
  expect(await fitToday(parts, signal)).toEqual({ computed: [], known: 4, failed: [] });
});

test('a day on which no key had a value replaces nothing', async () => {
  await shop.define({ more: [clicks, activity] });
  shop.clockUs = noonUs + 30n * dayUs;
  const parts = {
    history: shop.history,
    store: shop.store,
    registry: () => shop.registry,
    logger: silentLogger,
    nowUs: () => shop.clockUs,
  };
  await fitToday(parts, new AbortController().signal);
  const stored = await storedDefaults();
  expect(stored.get('mean_seconds')).toEqual({ day: '2026-04-09', value: undefined });
});

test('while events of yesterday wait, the last number stays, and where there is none one is computed again later', async () => {
  await shop.define({ more: [clicks, activity] });
  let isBehind = true;
  const asked: unknown[] = [];
  const parts = {
    history: shop.history,
    store: shop.store,
    registry: () => shop.registry,
    logger: silentLogger,
    nowUs: () => shop.clockUs,
    isBehind: async (...what: unknown[]) => {
      asked.push(what);
      return isBehind;
    },
  };
  const signal = new AbortController().signal;
  const names = naive.map(({ name }) => `activity:${name}`);
  expect(await fitToday(parts, signal)).toEqual({ computed: names, known: 0, failed: [] });
  expect((await storedDefaults()).get('mean_seconds')).toMatchObject({ day: '2026-03-09' });
  expect(await fitToday(parts, signal)).toEqual({ computed: [], known: 0, failed: names });
  expect(asked).toEqual([1, 2].map(() => ['clicks', (shop.clockUs / dayUs) * dayUs]));
  isBehind = false;
  expect(await fitToday(parts, signal)).toEqual({ computed: names, known: 0, failed: [] });
  expect((await storedDefaults()).get('mean_seconds')).toMatchObject({ day: '2026-03-10' });
  isBehind = true;
  expect(await fitToday(parts, signal)).toEqual({ computed: [], known: 4, failed: [] });
});
