/** Views and features of every kind may be deprecated: what is stored of it, what the plan says, what is refused. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { FeatureStoreError } from '../../../src/errors.ts';
import { bindRepository } from '../../../src/registry/bind.ts';
import { diffDocuments } from '../../../src/registry/diff.ts';
import { formatPlan } from '../../../src/registry/format-plan.ts';
import { loadRepository } from '../../../src/registry/load.ts';
import type { Problem } from '../../../src/registry/problems.ts';
import { describeFrom, toolsFor } from '../bind-definitions.ts';
import { makeRepository } from '../repository-folder.ts';

const tables = {
  'p.parquet': { user_id: 'BIGINT', at: 'TIMESTAMP WITH TIME ZONE', age: 'INTEGER', city: 'VARCHAR' },
  'c.parquet': { user_id: 'BIGINT', at: 'TIMESTAMP WITH TIME ZONE' },
};

interface Deprecations {
  readonly view?: unknown;
  readonly feature?: unknown;
}

/** One view of every kind, each with a feature. */
const definitionsOf = ({ view, feature }: Deprecations) => `
import {
  batchSource, count, entity, eventSource, featureService, featureView, onDemandFeatureView, parquet, sqlSource, streamFeatureView,
} from 'featherflight';
const deprecated = ${JSON.stringify(feature)};
export const user = entity('user', { joinKeys: { user_id: 'int64' } });
export const people = batchSource('people', { table: parquet('p.parquet'), eventTimestamp: 'at' });
export const clicks = eventSource('clicks', {
  history: parquet('c.parquet'), eventTimestamp: 'at', columns: { user_id: 'int64' },
});
export const daily = sqlSource('daily', {
  inputs: [people], every: '1d', sql: 'select user_id, count(*) as n from people group by user_id',
});
const of = { entities: [user], deprecated: ${JSON.stringify(view)} };
export const rows = featureView('rows', { ...of, source: people, features: { age: { type: 'int32', deprecated } } });
export const results = featureView('results', { ...of, source: daily, features: { n: { type: 'int64', deprecated } } });
export const windows = streamFeatureView('windows', {
  ...of, source: clicks, features: { clicks_1d: count({ window: '1d', deprecated }) },
});
export const computed = onDemandFeatureView('computed', {
  inputs: [rows], features: { twice: { type: 'int64', deprecated } }, deprecated: ${JSON.stringify(view)},
  transform: ({ features }) => ({ twice: features.rows.age * 2 }),
});
export const all = featureService('all', { features: [rows, results, windows, computed] });
`;

async function bind(deprecations: Deprecations) {
  const root = makeRepository({});
  writeFileSync(join(root, 'features/all.ts'), definitionsOf(deprecations));
  return await bindRepository(await loadRepository(root), toolsFor(describeFrom(tables)));
}

async function problemsOf(deprecations: Deprecations): Promise<string[]> {
  const error = await bind(deprecations).catch((reason: unknown) => reason);
  if (!(error instanceof FeatureStoreError)) throw error;
  return (error.details.problems as Problem[]).map(({ message }) => message);
}

const whole = { since: '2026-05-01', reason: 'old', replacement: 'fresh', removeAfter: '2026-09-01' };

it('a view and a feature of every kind may be deprecated, without a hash that changes', async () => {
  const plain = await bind({});
  const marked = await bind({ view: whole, feature: { since: '2026-06-01' } });
  const viewsOf = ({ views, onDemandViews = [] }: typeof plain) => [...views, ...onDemandViews];
  expect(viewsOf(marked).map(({ name }) => name)).toEqual(['results', 'rows', 'windows', 'computed']);
  for (const view of viewsOf(marked)) {
    expect(view.deprecated).toEqual(whole);
    expect(view.features.map(({ deprecated }) => deprecated)).toEqual([{ since: '2026-06-01' }]);
  }
  const unmark = (key: string, value: unknown) => (key === 'deprecated' ? undefined : value);
  expect(JSON.parse(JSON.stringify(marked, unmark))).toEqual(JSON.parse(JSON.stringify(plain)));
});

it('the plan says what is marked and what is unmarked, and nothing else', async () => {
  const [plain, marked] = [await bind({}), await bind({ view: { since: '2026-05-01' }, feature: { reason: 'old' } })];
  const text = formatPlan(diffDocuments(plain, marked));
  expect(text).toBe(`~ feature view results  (features/all.ts, touches all)
    + features.n.deprecated.reason: old
    + deprecated.since: 2026-05-01
~ feature view rows  (features/all.ts, touches all)
    + features.age.deprecated.reason: old
    + deprecated.since: 2026-05-01
~ feature view windows  (features/all.ts, touches all)
    + features.clicks_1d.deprecated.reason: old
    + deprecated.since: 2026-05-01
~ on-demand feature view computed  (features/all.ts, touches all)
    + features.twice.deprecated.reason: old
    + deprecated.since: 2026-05-01

0 to add, 4 to change, 0 to remove.`);
  const back = diffDocuments(marked, plain);
  expect(back.changes.map(({ name, fields, fills }) => [name, fields.map(({ path }) => path), fills])).toEqual(
    ['results', 'rows', 'windows', 'computed'].map((name) => [
      name,
      [expect.stringMatching(/^features\..*\.deprecated\.reason$/), 'deprecated.since'],
      undefined,
    ]),
  );
});

it.each([
  ['a day that is none', { since: '2026-02-30' }, 'deprecated: since is a day, such as "2026-05-01", and not "2026-02-30"'],
  ['a word for a day', { removeAfter: 'soon' }, 'deprecated: removeAfter is a day, such as "2026-05-01", and not "soon"'],
  ['an option that is none', { until: '2026-05-01' }, 'deprecated: "until" is no option'],
  ['no object', true, 'deprecated is texts: { since, reason, replacement, removeAfter }'],
])('%s is refused of each of them', async (_, wrong, message) => {
  const problems = await problemsOf({ view: wrong, feature: wrong });
  for (const name of ['feature view "rows"', 'feature "rows:age"', 'feature "results:n"', 'feature "windows:clicks_1d"'])
    expect(problems).toContainEqual(expect.stringContaining(`${name}: ${message}`));
  for (const name of ['feature "computed:twice"', 'on-demand feature view "computed"'])
    expect(problems).toContainEqual(expect.stringContaining(`${name}: ${message}`));
});
