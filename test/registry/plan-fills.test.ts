/** What a plan says of features that are filled from history. */
import { expect, it } from 'vitest';
import { count, entity, eventSource, featureService, parquet, streamFeatureView, sum } from '../../src/index.ts';
import { diffDocuments } from '../../src/registry/diff.ts';
import { formatPlan } from '../../src/registry/format-plan.ts';
import { bindDefinitions } from './bind-definitions.ts';

type Features = Parameters<typeof streamFeatureView>[1]['features'];

interface Variant {
  readonly features?: Features;
  readonly view?: object;
  readonly source?: object;
}

const columns = { user_id: 'BIGINT', at: 'TIMESTAMP WITH TIME ZONE', seconds: 'DOUBLE', id: 'BIGINT' };
const weekly = { clicks: count({ window: '7d' }), watched: sum('seconds', { window: '7d' }) };

async function documentOf({ features = weekly, view = {}, source = {} }: Variant = {}) {
  const user = entity('user', { joinKeys: { user_id: 'int64' } });
  const clicks = eventSource('clicks', {
    history: parquet('clicks.parquet'),
    eventTimestamp: 'at',
    columns: { user_id: 'int64', seconds: 'float64', id: 'int64' },
    ...source,
  });
  const activity = streamFeatureView('activity', { entities: [user], source: clicks, features, ...view } as never);
  const other = streamFeatureView('other', { entities: [user], source: clicks, features: { n: count({ window: '1d' }) } });
  const service = featureService('ranker', { features: [activity] });
  return await bindDefinitions([user, clicks, activity, other, service], { 'clicks.parquet': columns });
}

const fillsBetween = async (before: Variant | undefined, after: Variant) => {
  const { changes } = diffDocuments(before && (await documentOf(before)), await documentOf(after));
  return changes.flatMap(({ kind, name, fills = [] }) =>
    fills.map(({ view, features }) => [`${kind} ${name}`, view, features.join(' ')]),
  );
};

it('names every feature where nothing is applied, and none where all is the same', async () => {
  expect(await fillsBetween(undefined, {})).toEqual([
    ['feature view activity', 'activity', 'clicks watched'],
    ['feature view other', 'other', 'n'],
  ]);
  expect(await fillsBetween({}, {})).toEqual([]);
});

it('names features that are new or computed otherwise, and not those that are described otherwise or go', async () => {
  const changed = { ...weekly, watched: sum('seconds', { window: '14d' }), longest: sum('seconds', { window: '30d' }) };
  expect(await fillsBetween({}, { features: changed })).toEqual([['feature view activity', 'activity', 'watched longest']]);
  expect(await fillsBetween({}, { features: { clicks: weekly.clicks }, view: { description: 'Clicks.' } })).toEqual([]);
  const described = { ...weekly, clicks: count({ window: '7d', description: 'Of a week.' }) };
  expect(await fillsBetween({}, { features: described })).toEqual([]);
});

it('tells with the source where a change of it computes features otherwise', async () => {
  expect(await fillsBetween({}, { source: { eventId: 'id' } })).toEqual([
    ['source clicks', 'activity', 'clicks watched'],
    ['source clicks', 'other', 'n'],
  ]);
});

it('names all features of a source whose history others write', async () => {
  const foreign = { source: { archive: false } };
  const more = { ...weekly, longest: sum('seconds', { window: '30d' }) };
  expect(await fillsBetween(foreign, { ...foreign, features: more })).toEqual([
    ['feature view activity', 'activity', 'clicks watched longest'],
    ['feature view activity', 'other', 'n'],
  ]);
});

it('prints what a change needs, and that the stream rests', async () => {
  const more = { ...weekly, longest: sum('seconds', { window: '30d' }) };
  const plan = diffDocuments(await documentOf(), await documentOf({ features: more }));
  expect(formatPlan(plan).split('\n')).toContain(
    '    ! filled from history before they are served: longest; the stream of clicks rests meanwhile',
  );
  const many = Object.fromEntries(Array.from({ length: 12 }, (_, at) => [`f${at}`, count({ window: '7d' })]));
  expect(formatPlan(diffDocuments(undefined, await documentOf({ features: many })))).toContain('f6, f7 and 4 more;');
});
