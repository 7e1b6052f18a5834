import { describe, expect, it } from 'vitest';
import { batchSource } from '../../src/definitions/batch-source.ts';
import { entity } from '../../src/definitions/entity.ts';
import { featureService } from '../../src/definitions/feature-service.ts';
import { featureView } from '../../src/definitions/feature-view.ts';
import { fitted } from '../../src/definitions/fitted.ts';
import { csv, json, parquet } from '../../src/definitions/table.ts';

const user = entity('user', { joinKeys: { user_id: 'int64' }, owner: 'growth', tags: { tier: '1' } });
const source = batchSource('users', { table: parquet('data/*.parquet'), eventTimestamp: 'at' });
const view = featureView('user_profile', {
  entities: [user],
  source,
  features: { age: { type: 'int32' }, score: { type: 'float64', default: fitted('mean') } },
});

const isDeeplyFrozen = (value: unknown): boolean =>
  typeof value !== 'object' || value === null || (Object.isFrozen(value) && Object.values(value).every(isDeeplyFrozen));

describe('a definition', () => {
  it('is a frozen value with its kind and name', () => {
    const service = featureService('ranker', { features: [view, view.select('age')], deprecated: { reason: 'old' } });
    expect([user, source, view, service].map(({ kind, name }) => [kind, name])).toEqual([
      ['entity', 'user'],
      ['batchSource', 'users'],
      ['featureView', 'user_profile'],
      ['featureService', 'ranker'],
    ]);
    expect([user, source, view, service].every(isDeeplyFrozen)).toBe(true);
  });

  it('keeps its options, and copies them: later changes to an option object do not reach it', () => {
    const tags: Record<string, string> = { tier: '1' };
    const item = entity('item', { joinKeys: { item_id: 'string' }, tags });
    tags.tier = '2';
    expect(item).toEqual({ kind: 'entity', name: 'item', joinKeys: { item_id: 'string' }, tags: { tier: '1' } });
  });

  it('points at the very definitions it uses', () => {
    expect(view.source).toBe(source);
    expect(view.entities[0]).toBe(user);
  });
});

describe('a table', () => {
  it('holds its format, its paths and the options of its reader', () => {
    expect(parquet('a.parquet')).toEqual({ kind: 'table', format: 'parquet', paths: ['a.parquet'], options: {} });
    expect(csv(['a.csv', 'b.csv'], { delimiter: ';' })).toMatchObject({ paths: ['a.csv', 'b.csv'], options: { delimiter: ';' } });
    expect(json('a.json', { hivePartitioning: true })).toMatchObject({ format: 'json', options: { hivePartitioning: true } });
  });
});

describe('a selection of a view', () => {
  it('collects features, prefix and keys in any order', () => {
    const selection = view.as('candidate').select('score', 'age').withKeys({ user_id: 'friend_id' });
    expect(selection).toMatchObject({ prefix: 'candidate', features: ['score', 'age'], keys: { user_id: 'friend_id' } });
    expect(selection.view).toBe(view);
    expect(Object.isFrozen(selection)).toBe(true);
  });

  it('leaves the selection it was made from as it was', () => {
    const first = view.as('a');
    first.as('b');
    expect(first.prefix).toBe('a');
    expect(first.features).toBeUndefined();
  });
});
