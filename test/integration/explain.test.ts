/** POST /api/v1/explain: what is served of one entity beside what training gets, with the row or the events behind each value. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Explanation } from '../../src/validate/parity/explain.ts';
import { post } from '../support/http-client.ts';
import { type PageStore, startPageStore } from './page-store.ts';

let store: PageStore;

beforeAll(async () => {
  store = await startPageStore();
});
afterAll(async () => {
  await store?.server.stop();
});

async function ask(request: object, status = 200): Promise<Explanation & { readonly error: { readonly message: string } }> {
  const answer = await post(`${store.server.http}/api/v1/explain`, request);
  expect(answer.status, answer.text).toBe(status);
  return answer.json() as Awaited<ReturnType<typeof ask>>;
}

it('tells of a stream view the events, of a batch view the row, and agrees where nothing went wrong', async () => {
  const { columns, evaluated_at: at } = await ask({ service: 'feed_v2', entities: { user_id: ['2'] } });
  expect(Object.keys(columns)).toEqual(['clicks_7d', 'mean_seconds', 'age', 'city']);
  for (const column of Object.values(columns)) {
    expect(column).toMatchObject({ agrees: true, cause: null, text: '' });
    expect(column.online).toEqual(column.offline);
  }
  const { clicks_7d: clicks, age } = columns;
  // Two events of the user count, none of which lies ahead of the clock.
  expect(clicks).toMatchObject({ type: 'int64', online: { value: '2', status: 'PRESENT' } });
  expect(clicks?.evidence).toMatchObject([{ view: 'user_activity', kind: 'stream', total: 2 }]);
  const times = clicks?.evidence[0]?.rows.map((row) => (row as { event_timestamp: string }).event_timestamp) as string[];
  expect(times).toEqual(times.toSorted());
  expect(times.every((time) => time < at)).toBe(true);
  expect(age).toMatchObject({
    offline: { value: -1, status: 'NOT_FOUND', is_default: true },
    evidence: [{ view: 'user_profile', kind: 'batch', total: 0, rows: [] }],
  });
});

it('tells of what a transform computes the rows that it read, with values of the request', async () => {
  const { columns } = await ask({ features: ['doubled:times_age'], entities: { user_id: ['1'] }, request: { factor: [1.5] } });
  expect(columns.times_age).toMatchObject({
    ...{ agrees: true, online: { value: 45 }, offline: { value: 45 } },
    evidence: [
      { view: 'user_profile', total: 1, rows: [{ event_timestamp: '2026-01-01T00:00:00.000001Z', values: { age: 30 } }] },
    ],
  });
});

it('names the cause where what is served is not what training gets', async () => {
  const { columns } = await ask({ features: ['item_stats:price'], entities: { item_id: ['item 6'] } });
  expect(columns.price).toMatchObject({
    ...{ agrees: false, cause: 'bug', online: { value: 402 }, offline: { value: 3 } },
    text: expect.stringContaining('no row or event'),
    evidence: [{ view: 'item_stats', total: 1, rows: [{ values: { price: 3, sold: '6' } }] }],
  });
});

it('refuses more than one entity, and what does not exist', async () => {
  const many = await ask({ features: ['item_stats:price'], entities: { item_id: ['item 6', 'item 7'] } }, 400);
  expect(many.error.message).toBe('one entity is explained at a time, and these are 2');
  const unknown = await ask({ features: ['item_stats:prize'], entities: { item_id: ['item 6'] } }, 404);
  expect(unknown.error.message).toContain('did you mean "price"');
  const both = await ask({ features: ['item_stats:price'], service: 'plain', entities: {} }, 400);
  expect(both.error.message).toContain('name either "features" or a "service"');
});
