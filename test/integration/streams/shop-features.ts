/** The definitions of a shop's features over a stream, and what each of them is as plain loops (test/support/naive-windows.ts). */
import type { ValueType } from '../../../src/definitions/value-type.ts';
import type { NaiveWindowEvent, NaiveWindowFeature, NaiveWindowView } from '../../support/naive-windows.ts';
import type { JudgedEvent } from './shop-events.ts';

export interface ShopFeature {
  readonly view: string;
  /** TypeScript. */
  readonly definition: string;
  readonly naive: NaiveWindowFeature;
}

const secondUs = 1_000_000n;
const minuteUs = 60n * secondUs;
const hourUs = 60n * minuteUs;
const dayUs = 24n * hourUs;

export const shopViews: Readonly<
  Record<string, { readonly key: 'user_id' | 'item_id' | undefined; readonly naive: NaiveWindowView }>
> = {
  user_activity: { key: 'user_id', naive: { delayUs: 3n * secondUs } },
  user_session: { key: 'user_id', naive: { delayUs: 0n, gapUs: 10n * minuteUs } },
  item_activity: { key: 'item_id', naive: { delayUs: 0n } },
  totals: { key: undefined, naive: { delayUs: 0n } },
};

const float: ValueType = { kind: 'float64' };
const int: ValueType = { kind: 'int64' };
const text: ValueType = { kind: 'string' };
const bool: ValueType = { kind: 'bool' };
const decimal: ValueType = { kind: 'decimal', precision: 10, scale: 2 };

const read = (column: string) => (event: NaiveWindowEvent) => event.values[column] ?? null;
const isKind = (kind: string) => (event: NaiveWindowEvent) => (event.values.kind == null ? null : event.values.kind === kind);
const isLong = ({ values: { seconds } }: NaiveWindowEvent) => (seconds == null ? null : (seconds as number) > 500);

type Naive = Omit<NaiveWindowFeature, 'name' | 'resultType' | 'size'> & { readonly size?: number };

function feature(view: string, name: string, definition: string, naive: Naive): ShopFeature {
  return { view, definition: `${name}: ${definition}`, naive: { size: 0, ...naive, name, resultType: naive.type } };
}

const short = { windowUs: hourUs, hopUs: 5n * minuteUs };
const day = { windowUs: dayUs, hopUs: hourUs };
const always = { windowUs: 'lifetime' } as const;

export const shopFeatures: readonly ShopFeature[] = [
  feature('user_activity', 'clicks_1h', `count({ where: "kind = 'click'", window: '1h' })`, {
    ...{ function: 'count', type: bool, where: isKind('click'), ...short },
  }),
  feature('user_activity', 'events_1d', `count({ window: '1d' })`, { function: 'count', type: bool, ...day }),
  feature('user_activity', 'n_1h', `sum('n', { window: '1h', hop: '7s' })`, {
    ...{ function: 'sum', type: int, value: read('n'), windowUs: hourUs, hopUs: 7n * secondUs },
  }),
  feature('user_activity', 'watched', `sum('seconds', { window: 'lifetime' })`, {
    ...{ function: 'sum', type: float, value: read('seconds'), ...always },
  }),
  feature('user_activity', 'mean_12h', `mean('seconds', { window: '12h', where: "kind = 'view'", default: -1 })`, {
    ...{ function: 'mean', type: float, value: read('seconds'), where: isKind('view'), default: { literal: -1 } },
    ...{ windowUs: 12n * hourUs, hopUs: hourUs },
  }),
  feature('user_activity', 'rate_1d', `rate({ condition: "kind = 'completion'", over: "seconds > 500", window: '1d' })`, {
    ...{ function: 'rate', type: bool, condition: isKind('completion'), over: isLong, ...day },
  }),
  feature('user_activity', 'items_1d', `lastN('item_id', { n: 5, window: '1d' })`, {
    ...{ function: 'last_n', type: text, value: read('item_id'), size: 5, ...day },
  }),
  feature('user_activity', 'top_1d', `topK('kind', { k: 2, window: '1d' })`, {
    ...{ function: 'top_k', type: text, value: read('kind'), size: 2, ...day },
  }),
  feature('user_activity', 'distinct_1h', `countDistinct('item_id', { window: '1h' })`, {
    ...{ function: 'count_distinct', type: text, value: read('item_id'), ...short },
  }),
  feature('user_activity', 'entropy_1d', `entropy('kind', { window: '1d' })`, {
    ...{ function: 'entropy', type: text, value: read('kind'), ...day },
  }),
  feature('user_session', 'events', 'count()', { function: 'count', type: bool }),
  feature('user_session', 'clicks', `count({ where: "kind = 'click'" })`, {
    ...{ function: 'count', type: bool, where: isKind('click') },
  }),
  feature('user_session', 'seconds_long', 'duration()', { function: 'duration', type: bool }),
  feature('user_session', 'first_item', `first('item_id')`, { function: 'first', type: text, value: read('item_id') }),
  feature('item_activity', 'events', `count({ window: 'lifetime' })`, { function: 'count', type: bool, ...always }),
  feature('item_activity', 'min_1h', `min('n', { window: '1h' })`, { function: 'min', type: int, value: read('n'), ...short }),
  feature('item_activity', 'max_1d', `max('price', { window: '1d' })`, {
    ...{ function: 'max', type: decimal, value: read('price'), ...day },
  }),
  feature('item_activity', 'spread_1d', `stddev('seconds', { window: '1d' })`, {
    ...{ function: 'stddev', type: float, value: read('seconds'), ...day },
  }),
  feature('item_activity', 'last_kind', `last('kind', { window: '2h', hop: '1m' })`, {
    ...{ function: 'last', type: text, value: read('kind'), windowUs: 2n * hourUs, hopUs: minuteUs },
  }),
  feature('totals', 'events', `count({ window: 'lifetime' })`, { function: 'count', type: bool, ...always }),
  feature('totals', 'revenue_1d', `sum('price', { window: '1d', where: "kind = 'completion'" })`, {
    ...{ function: 'sum', type: decimal, value: read('price'), where: isKind('completion'), ...day },
  }),
];

/** `features/shop.ts` of a repository whose source has this `stream`, TypeScript too. */
export function shopDefinitions(stream: string, more = '', features: readonly ShopFeature[] = shopFeatures): string {
  const featuresOf = (view: string) =>
    features.flatMap((one) => (one.view === view ? [`    ${one.definition},`] : [])).join('\n');
  return `
import { count, countDistinct, duration, entity, entropy, env, eventSource, first, kafka, last, lastN, max, mean, min, parquet, rate,
         redisStream, stddev, streamFeatureView, sum, topK } from 'featherflight';
export const user = entity('user', { joinKeys: { user_id: 'int64' } });
export const item = entity('item', { joinKeys: { item_id: 'string' } });
export const clicks = eventSource('clicks', {
  ${stream},
  eventTimestamp: 'at', eventId: 'id', lateness: '2h',
  columns: {
    seq: 'int64', id: 'int64', user_id: 'int64', item_id: 'string', n: 'int64', seconds: 'float64', price: 'decimal(10,2)',
    kind: { type: 'string', values: ['view', 'click', 'completion'] },
  },
});
export const userActivity = streamFeatureView('user_activity', { entities: [user], source: clicks, delay: '3s', features: {
${featuresOf('user_activity')}
${more}
} });
export const userSession = streamFeatureView('user_session', { entities: [user], source: clicks, session: { gap: '10m' }, features: {
${featuresOf('user_session')}
} });
export const itemActivity = streamFeatureView('item_activity', { entities: [item], source: clicks, features: {
${featuresOf('item_activity')}
} });
export const totals = streamFeatureView('totals', { entities: [], source: clicks, features: {
${featuresOf('totals')}
} });
`;
}

/** Items as numbers: the oracle's keys. */
export function itemKey(item: string): bigint {
  return BigInt([...item].reduce((sum, letter) => sum * 257 + letter.charCodeAt(0), 1) % 2 ** 31);
}

/** An event as the oracle takes it, under the key of a view. */
export function naiveEvent(event: JudgedEvent, view: string): NaiveWindowEvent {
  const column = shopViews[view]?.key;
  const { user_id, item_id, kind, n, seconds, price, timeUs } = event;
  const item = item_id === null ? null : itemKey(item_id);
  const user = user_id === null ? null : BigInt(user_id);
  return {
    key: column === undefined ? 0n : column === 'user_id' ? user : item,
    timeUs,
    isValid: true,
    // Which of equal ids counts has been told by the log.
    id: null,
    values: { kind, item_id, seconds, price, n: n === null ? null : BigInt(n) },
  };
}
