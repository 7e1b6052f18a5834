/** An objective of freshness is part of a view, of no value's hash, and refused by its view's name where it is none. */
import { describe, expect, it } from 'vitest';
import {
  batchSource,
  count,
  entity,
  eventSource,
  featureService,
  featureView,
  parquet,
  streamFeatureView,
} from '../../../src/index.ts';
import { diffDocuments } from '../../../src/registry/diff.ts';
import { formatPlan } from '../../../src/registry/format-plan.ts';
import { bindDefinitions, problemsOf } from '../bind-definitions.ts';

const tables = { 'p.parquet': { user_id: 'BIGINT', at: 'TIMESTAMP WITH TIME ZONE', age: 'INTEGER' } };
const user = entity('user', { joinKeys: { user_id: 'int64' } });
const source = batchSource('profiles', { table: parquet('p.parquet'), eventTimestamp: 'at' });
const clicks = eventSource('clicks', { eventTimestamp: 'at', columns: { user_id: 'int64' } });

function define(batch: unknown, stream: unknown = batch) {
  const profile = featureView('profile', {
    ...{ entities: [user], source, features: { age: { type: 'int32' } } },
    ...(batch === undefined ? {} : { freshness: batch as '24h' }),
  });
  const activity = streamFeatureView('activity', {
    ...{ entities: [user], source: clicks, features: { n: count({ window: '1d' }) } },
    ...(stream === undefined ? {} : { freshness: stream as '60s' }),
  });
  return [user, source, clicks, profile, activity, featureService('ranker', { features: [profile, activity] })];
}

describe('freshness', () => {
  it('is bound of batch and stream views, and changes no hash', async () => {
    const without = await bindDefinitions(define(undefined), tables);
    const document = await bindDefinitions(define('24h', '60s'), tables);
    expect(document.views.map(({ name, freshness }) => [name, freshness])).toEqual([
      ['activity', '60s'],
      ['profile', '24h'],
    ]);
    const hashes = ({ views }: typeof document) => views.flatMap(({ features }) => features.map(({ hash }) => hash));
    expect(hashes(document)).toEqual(hashes(without));
    expect(without.views.some((view) => 'freshness' in view)).toBe(false);
  });

  it('that is no duration, or nothing, is refused by name', async () => {
    expect(await problemsOf(define('2w', 60), tables)).toEqual([
      expect.stringContaining('feature view "profile": freshness: duration "2w" cannot be read: a duration is a whole number'),
      expect.stringContaining('stream feature view "activity": freshness: duration "60" cannot be read'),
    ]);
    expect(await problemsOf(define('0s', '1h'), tables)).toEqual([
      'feature view "profile": freshness: nothing is as fresh as "0s"; write how old it may be: "24h", "60s"',
    ]);
  });

  it('that changes is planned as a change of no value, which concerns no service', async () => {
    const [before, after] = [await bindDefinitions(define('24h'), tables), await bindDefinitions(define('12h', '24h'), tables)];
    const plan = diffDocuments(before, after);
    expect(plan.changes).toHaveLength(1);
    expect(plan.changes[0]).toMatchObject({ services: [], fields: [{ path: 'freshness', before: '24h', after: '12h' }] });
    expect(formatPlan(plan).split('\n').slice(0, 3)).toEqual([
      '~ feature view profile  (features/featureView.ts)',
      '    ~ freshness: 24h -> 12h',
      '    ! no value changes: it is measured, and nothing is written anew',
    ]);
    const added = diffDocuments(await bindDefinitions(define(undefined), tables), after);
    expect(added.changes.map(({ services, fills }) => [services, fills])).toEqual([
      [[], undefined],
      [[], undefined],
    ]);
  });
});
