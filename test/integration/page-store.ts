/** A server with something on every screen of the web page: views of each kind, a stream with events set aside, values served, reports. */
import { setTimeout as pause } from 'node:timers/promises';
import { call, post } from '../support/http-client.ts';
import { type ServerOptions, type ServerProcess, startServer } from '../support/start-server.ts';
import { makeHttpStore } from './http-store.ts';
import { writeTables } from './make-store.ts';

export const longName = 'minutes_since_the_last_purchase_by_any_member_of_the_household';

const more = `
import { count, eventSource, mean, streamFeatureView } from 'featherflight';
export const clicks = eventSource('clicks', {
  eventTimestamp: 'at', description: 'Clicks of the web shop', owner: 'growth@example.com',
  columns: { user_id: 'int64', seconds: 'float64', kind: { type: 'string', values: ['view', 'click'] } },
});
export const activity = streamFeatureView('user_activity', {
  entities: [user], source: clicks, description: 'What users did of late', owner: 'growth@example.com', tags: { tier: 'gold' },
  features: {
    clicks_7d: count({ where: "kind = 'click'", window: '7d', description: 'Clicks of seven days' }),
    mean_seconds: mean('seconds', { window: '30d', default: 1.5 }),
  },
});
export const household = featureView('household_with_a_name_that_no_phone_is_wide_enough_for', {
  entities: [user], source: profiles, freshness: '1d', features: { ${longName}: { type: 'int32', column: 'age' } },
});
export const counted = featureView('counted_by_hand', {
  entities: [user], source: profiles, features: { visits: { type: 'int64' }, score: { type: 'float64', deprecated: { reason: 'nobody knows how' } } },
  deprecated: { since: '2026-01-01', reason: 'counted by hand', replacement: 'user_activity', removeAfter: '2026-06-01' },
});
export const feed = featureService('feed_v2', { features: [activity, userProfile.select('age', 'city')], description: 'The ranker of the feed' });
`;

export interface PageStore {
  readonly server: ServerProcess;
  readonly directory: string;
  /** Ids of reports that were made. */
  readonly reports: Readonly<Record<'parity' | 'drift' | 'datasets' | 'leaks', string>>;
}

const items = Array.from({ length: 200 }, (_, at) => `item ${at}`);

/** Sees within seconds what a server sees within minutes. */
const watching = {
  health: { every: '1s', window: '4s', history: '96s' },
  alerts: {
    every: '1s',
    rules: [
      { when: 'parity', severity: 'critical' },
      { when: 'feature', for: '1h' },
      { when: 'lag', source: 'clicks', above: 600 },
    ],
  },
};

/** Materialized, with events, served values of two periods, reports that tell of differences, an alarm and alerts. */
export async function startPageStore(options: ServerOptions = {}): Promise<PageStore> {
  const logging = { sample: 1, flushSeconds: 1 };
  const directory = await makeHttpStore({ logging, ...watching, readable: ['data'] }, more);
  await writeTables(directory, [
    ['data/trained.parquet', trained],
    ['data/asked.parquet', asked(0)],
    ['data/asked-again.parquet', asked(100)],
  ]);
  const server = await startServer(directory, options);
  const ask = async (path: string, body: unknown): Promise<Readonly<Record<string, unknown>>> => {
    const answer = await post(`${server.http}/api/v1/${path}`, body);
    if (answer.status >= 300) throw new Error(`${path}: ${answer.text}`);
    return answer.json() as Readonly<Record<string, unknown>>;
  };
  const now = () => new Date().toISOString();
  await ask('materialize', {});
  await ask('push', { source: 'clicks', rows: clickRows() });
  const serve = () => ask('online-features', { features: ['item_stats:price', 'item_stats:sold'], entities: { item_id: items } });
  const began = now();
  const health = async () =>
    (await call(`${server.http}/api/v1/health/features`)).json() as { judged: number; alarms: unknown[] };
  // What is served now must be what was served before, for anything to be said of what comes then.
  await serveUntil(serve, async () => (await health()).judged > 0);
  await ask('online-features', { service: 'feed_v2', entities: { user_id: ['1', '2', '3', '4'] } });
  await ask('online-features', { features: ['counted_by_hand:visits'], entities: { user_id: ['1'] } });
  const changed = now();
  const reference = { reference_from: began, reference_to: changed };
  await ask('validate/drift', { from: began, to: changed, ...reference });
  await ask('write-to-online-store', { view: 'item_stats', rows: shiftedRows(now()) });
  await serve();
  const parity = await ask('validate/parity', { live: true, sample: 100 });
  const drift = await ask('validate/drift', { from: changed, to: now(), ...reference });
  const leaks = await ask('validate/leaks', { table: true, columns: { age: 'user_profile:age' }, path: 'data/trained.parquet' });
  const dataset = { name: 'prices', features: ['item_stats:price', 'item_stats:sold'] };
  await ask('datasets', { ...dataset, path: 'data/asked.parquet' });
  await ask('datasets', {
    ...dataset,
    path: 'data/asked-again.parquet',
    split: { random: { parts: { train: 0.9, test: 0.1 } } },
  });
  const current = { dataset: 'prices@2', split: 'train' };
  const datasets = await ask('validate/drift', { reference: { dataset: 'prices@1' }, current });
  await serveUntil(serve, async () => {
    const { alerts } = (await call(`${server.http}/api/v1/alerts`)).json() as { alerts: { rule: string }[] };
    return ['parity', 'feature'].every((name) => alerts.some(({ rule }) => rule === name)) && (await health()).alarms.length > 0;
  });
  const made = { parity, drift, datasets, leaks };
  const ids = Object.fromEntries(Object.entries(made).map(([name, { id }]) => [name, String(id)]));
  return { server, directory, reports: ids as PageStore['reports'] };
}

async function serveUntil(serve: () => Promise<unknown>, isThere: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 60_000;
  do {
    if (Date.now() > end) throw new Error('the watch over features did not come to what is waited for');
    await serve();
    await pause(500);
  } while (!(await isThere()));
}

/** A hundred items, whose prices are others than those of the next hundred. */
const asked = (first: number) =>
  `select 'item ' || (i + ${first}) as item_id, now() as event_timestamp from range(0, 100) as r(i)`;

/** A table made by hand, whose first rows know an age that nobody had told yet. */
const trained = `
  select 1::bigint as user_id, timestamptz '2025-12-20' + to_days(i::int) as event_timestamp, 30::integer as age
  from range(0, 40) as r(i)`;

/** Two of the six are of a time that has not come. */
function clickRows() {
  const secondsAgo = [60, 50, 40, -1_500_000, 30, -3600];
  return {
    user_id: secondsAgo.map((_, row) => String(1 + (row % 3))),
    seconds: secondsAgo.map((_, row) => 1.25 * row),
    kind: secondsAgo.map(() => 'click'),
    at: secondsAgo.map((ago) => new Date(Date.now() - 1000 * ago).toISOString()),
  };
}

/** Prices that history does not have. */
function shiftedRows(at: string) {
  return { item_id: items, at: items.map(() => at), price: items.map((_, row) => 400 + row / 3), sold: items.map(() => '7') };
}
