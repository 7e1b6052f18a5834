/** A server with datasets of every sort: versions that differ, models, broken expectations, columns of every type and with statuses. */
import { call, post } from '../support/http-client.ts';
import { type ServerProcess, startServer } from '../support/start-server.ts';
import { makeHttpStore } from './http-store.ts';
import { writeTables } from './make-store.ts';

export interface DatasetPageStore {
  readonly server: ServerProcess;
  readonly directory: string;
  create(request: Readonly<Record<string, unknown>>, headers?: Readonly<Record<string, string>>): Promise<void>;
}

export const dailyDatasets = 8;

/** User 77 and items from 600 on are unknown. */
function frame(rows: number): string {
  return `
    select list_extract([1, 3, 9007199254740993, 77]::bigint[], 1 + i % 4) as user_id, 'item ' || i % 700 as item_id,
      timestamptz '2026-03-01' + to_hours(i::integer) as event_timestamp, (i % 3 = 0)::integer as clicked, 2.0::double as factor,
      i % 5 = 0 as mobile, case when i % 50 = 0 then null else 'channel ' || i % 4 end as channel from range(0, ${rows}) as r(i)`;
}

const items = (factor: number) => `
  select 'item ' || i as item_id, timestamptz '2026-01-01' as "at", ${factor} * i / 2 as price, i::bigint as sold from range(0, 600) as r(i)`;

const split = { time: { boundaries: [{ name: 'train', until: '2026-03-20T00:00:00Z' }, { name: 'test' }] } };
const expectations = {
  age: { min: 0, max: 120, on_failure: 'warn' },
  price: { max_null_rate: 0.5 },
  clicked: { values: [0, 1] },
};

export async function startDatasetPageStore(): Promise<DatasetPageStore> {
  const directory = await makeHttpStore({ readable: ['data'] });
  await writeTables(directory, [
    ['data/frame.parquet', frame(800)],
    ['data/later.parquet', frame(900)],
  ]);
  const server = await startServer(directory);
  const create: DatasetPageStore['create'] = async (request, headers) => {
    const answer = await post(`${server.http}/api/v1/datasets`, { path: 'data/frame.parquet', ...request }, headers);
    if (answer.status !== 200) throw new Error(answer.text);
  };
  const ranker = { name: 'ranker', labels: ['clicked'], expectations, description: 'What the ranker of the feed learns from' };
  await create({ ...ranker, service: 'plain', split });
  await writeTables(directory, [['data/items.parquet', items(1.5)]]);
  const byItem = { entity: { keys: ['item_id'], parts: { train: 0.8, valid: 0.1, test: 0.1 }, seed: 7 } };
  await create({ ...ranker, service: 'ranker', split: byItem });
  await create({ ...ranker, service: 'ranker', split: byItem, path: 'data/later.parquet' });
  const profile = ['age', 'visits', 'score', 'ratio', 'city', 'spent', 'since', 'born', 'token', 'active', 'path'];
  await create({ name: 'profiles', features: profile.map((feature) => `user_profile:${feature}`), statuses: true });
  const sales = { boundaries: [{ name: 'train', until: '2026-03-27T16:00:00Z' }, { name: 'test' }] };
  await create({ name: 'sales', features: ['item_stats:price', 'item_stats:sold'], labels: ['clicked'], split: { time: sales } });
  for (let day = 1; day <= dailyDatasets; day++) {
    await create({ name: `daily_${day}`, features: ['item_stats:price'], at: `2026-04-0${day}T00:00:00Z` });
  }
  const tagged = await call(`${server.http}/api/v1/datasets/ranker@2/tags`, {
    body: JSON.stringify({ model: 'ctr', version: '7' }),
  });
  if (tagged.status !== 200) throw new Error(tagged.text);
  return { server, directory, create };
}
