/** Features of every kind may expect something of their values: what is stored of it, and what is refused. */
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

/** A feature of every kind, each with what is expected of it as written. */
const definitionsOf = (age: string, city: string) => `
import { batchSource, count, entity, eventSource, featureView, onDemandFeatureView, parquet, streamFeatureView } from 'featherflight';
export const user = entity('user', { joinKeys: { user_id: 'int64' } });
export const people = batchSource('people', { table: parquet('p.parquet'), eventTimestamp: 'at' });
export const clicks = eventSource('clicks', { history: parquet('c.parquet'), eventTimestamp: 'at', columns: { user_id: 'int64' } });
export const rows = featureView('rows', {
  entities: [user], source: people,
  features: { age: { type: 'int32', expect: ${age} }, city: { type: 'string', expect: ${city} } },
});
export const windows = streamFeatureView('windows', {
  entities: [user], source: clicks, features: { clicks_1d: count({ window: '1d', expect: ${age} }) },
});
export const computed = onDemandFeatureView('computed', {
  inputs: [rows], features: { twice: { type: 'int64', expect: ${age} } },
  transform: ({ features }) => ({ twice: features.rows.age * 2 }),
});
`;

async function bind(age: string, city = 'undefined') {
  const root = makeRepository({});
  writeFileSync(join(root, 'features/all.ts'), definitionsOf(age, city));
  return await bindRepository(await loadRepository(root), toolsFor(describeFrom(tables)));
}

it('is stored beside the feature, lossless, without a hash that changes', async () => {
  const plain = await bind('undefined');
  const marked = await bind('{ min: 0, max: 120, maxNullRate: 0.1, unique: true, onFailure: "warn" }', '{ values: ["a", "b"] }');
  const expected = { max: 120, maxNullRate: 0.1, unique: true, onFailure: 'warn' };
  const found = [...marked.views, ...(marked.onDemandViews ?? [])].flatMap(({ features }) =>
    features.map(({ name, expect: of }) => [name, of]),
  );
  expect(Object.fromEntries(found)).toEqual({
    age: { ...expected, min: 0 },
    city: { values: ['a', 'b'] },
    clicks_1d: { ...expected, min: '0', max: '120' },
    twice: { ...expected, min: '0', max: '120' },
  });
  const unmark = (key: string, value: unknown) => (key === 'expect' ? undefined : value);
  expect(JSON.parse(JSON.stringify(marked, unmark))).toEqual(JSON.parse(JSON.stringify(plain)));
  expect(formatPlan(diffDocuments(plain, await bind('undefined', '{ maxNullRate: 0 }')))).toContain(
    '+ features.city.expect.maxNullRate: 0',
  );
});

it.each([
  ['{ min: 0.5 }', 'undefined', 'expect.min: '],
  ['{ least: 1 }', 'undefined', 'expect: "least" is no option'],
  ['{ maxNullRate: 2 }', 'undefined', 'expect.maxNullRate is a number from 0 to 1'],
  ['{ onFailure: "stop" }', 'undefined', 'expect.onFailure is "fail" or "warn"'],
  ['{ unique: false }', 'undefined', 'expect.unique is true, or left out'],
  ['7', 'undefined', 'expect is written { min: 0, max: 120, maxNullRate: 0.01 }'],
  ['undefined', '{ min: "a" }', 'expect: a range is of numbers and times, and not of string'],
  ['undefined', '{ values: [] }', 'expect.values lists single values'],
])('refuses %s and %s', async (age, city, message) => {
  const error = await bind(age, city).catch((reason: unknown) => reason);
  if (!(error instanceof FeatureStoreError)) throw error;
  const problems = (error.details.problems as Problem[]).map((problem) => problem.message);
  expect(problems.join('\n')).toContain(message);
});
