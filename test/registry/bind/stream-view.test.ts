/** Event sources and stream views: what is bound of them, and everything wrong by name. */
import { describe, expect, it } from 'vitest';
import {
  count,
  duration,
  entity,
  eventSource,
  fitted,
  lastN,
  mean,
  parquet,
  rate,
  streamFeatureView,
  sum,
} from '../../../src/index.ts';
import { bindDefinitions, problemsOf, type Tables } from '../bind-definitions.ts';

const tables: Tables = {
  'clicks.parquet': { at: 'TIMESTAMP WITH TIME ZONE', user_id: 'BIGINT', kind: 'VARCHAR', seconds: 'DOUBLE', seen: 'TIMESTAMP' },
};
const user = entity('user', { joinKeys: { user_id: 'int64' } });
const given = {
  history: parquet('clicks.parquet'),
  eventTimestamp: 'at',
  columns: { user_id: 'int64', kind: { type: 'string', values: ['view', 'click'] }, seconds: 'float64' },
} as const;
const clicks = eventSource('clicks', given);
const loose = (value: unknown) => value as never;

function viewOf(features: object, more: object = {}) {
  return streamFeatureView('activity', { entities: [user], source: clicks, features, ...more } as never);
}

describe('event sources and stream views', () => {
  it('become documents with typed expressions and the hop that stands for none', async () => {
    const view = viewOf({
      clicks_7d: count({ where: "kind = 'click'", window: '7d' }),
      watched: sum('seconds', { window: 'lifetime' }),
    });
    const { sources, views } = await bindDefinitions([user, clicks, view], tables);
    expect(sources[0]).toMatchObject({
      name: 'clicks',
      kind: 'event',
      events: { columns: [{ name: 'user_id' }, { values: ['view', 'click'] }, {}] },
    });
    expect(views[0]).toMatchObject({
      kind: 'stream',
      source: 'clicks',
      keys: [{ name: 'user_id', type: 'int64', column: 'user_id' }],
      features: [
        {
          name: 'clicks_7d',
          type: 'int64',
          aggregate: { function: 'count', window: '7d', hop: '1h', where: { text: "kind = 'click'" } },
        },
        { name: 'watched', type: 'float64', column: 'seconds', aggregate: { function: 'sum', window: 'lifetime' } },
      ],
    });
    expect(views[0]?.features[1]?.aggregate).not.toHaveProperty('hop');
  });

  it('have other hashes where their values would be others', async () => {
    const hashOf = async (feature: object, more: object = {}, source: object = {}) => {
      const changed = eventSource('clicks', { ...given, ...source });
      const view = streamFeatureView('activity', {
        entities: [user],
        source: changed,
        features: { f: feature },
        ...more,
      } as never);
      return (await bindDefinitions([user, changed, view], tables)).views[0]?.features[0]?.hash;
    };
    const hashes = [
      await hashOf(count({ window: '7d' })),
      await hashOf(count({ window: '8d' })),
      await hashOf(count({ window: '7d', hop: '5m' })),
      await hashOf(count({ window: '7d', where: 'seconds > 1' })),
      await hashOf(count({}), { session: { gap: '30m' } }),
      await hashOf(count({ window: '7d' }), {}, { columns: { ...given.columns, kind: 'string' } }),
    ];
    expect(new Set(hashes).size).toBe(hashes.length);
    expect(await hashOf(count({ window: '7d', description: 'Clicks.' }))).toBe(hashes[0]);
  });
});

describe('are refused with', () => {
  it.each([
    [
      [eventSource('e', { ...given, eventTimestamp: 'att' })],
      'source "e": eventTimestamp is column "att", which "clicks.parquet" does not have; did you mean "at"?',
    ],
    [[eventSource('e', { ...given, columns: loose({ user: 'int64' }) })], 'source "e": column "user" is not in "clicks.parquet"'],
    [
      [eventSource('e', { ...given, columns: { user_id: 'int32' } })],
      'source "e": column "user_id" is int32, and in the history it is BIGINT; declare int64',
    ],
    [
      [eventSource('e', { ...given, columns: { seen: 'timestamp' } })],
      'source "e": column "seen" is timestamp, and in the history it is TIMESTAMP; convert it where the files are written',
    ],
    [
      [eventSource('e', { ...given, columns: loose({ at: 'timestamp' }) })],
      'source "e": column "at" is the event time, which is known already; leave it out of columns',
    ],
    [
      [eventSource('e', { ...given, columns: loose({ _Offset: 'int64' }) })],
      'source "e": column "_Offset" has a name that the archive needs for itself (_partition, _offset, _late); name it otherwise',
    ],
    [
      [eventSource('e', { ...given, columns: { seconds: { type: 'float64', values: ['a'] } } })],
      'source "e": column "seconds": values are for a string column, and it is float64',
    ],
    [
      [eventSource('e', { ...given, eventId: 'kin' })],
      'source "e": eventId names column "kin", which it does not declare; did you mean "kind"?',
    ],
    [[eventSource('e', { ...given, lateness: loose('soon') })], 'source "e": lateness: duration "soon" cannot be read'],
    [[eventSource('e', loose({ ...given, stream: {} }))], 'source "e": stream is made by kafka(…) or redisStream(…)'],
    [
      [user, clicks, viewOf({ f: count({}) })],
      'feature "activity:f": a window is needed, such as window: "7d" or window: "lifetime"',
    ],
    [
      [user, clicks, viewOf({ f: count({ window: loose('week') }) })],
      'feature "activity:f": window: duration "week" cannot be read',
    ],
    [[user, clicks, viewOf({ f: count({ window: '0' }) })], 'feature "activity:f": a window and its hop are more than 0'],
    [
      [user, clicks, viewOf({ f: count({ window: 'lifetime', hop: '1h' }) })],
      'feature "activity:f": a window without a left end has no hop',
    ],
    [
      [user, clicks, viewOf({ f: count({ window: '7d' }) }, { session: { gap: '30m' } })],
      'feature "activity:f": a view of sessions has no window; leave it out',
    ],
    [[user, clicks, viewOf({ f: duration() })], 'feature "activity:f": duration is for views with a session'],
    [
      [user, clicks, viewOf({ f: count({}) }, { session: { gap: '0' } })],
      'stream feature view "activity": a session\'s gap is more than 0',
    ],
    [[user, clicks, viewOf({ f: mean('kind', { window: '7d' }) })], 'feature "activity:f": mean takes numbers, and not string'],
    [
      [user, clicks, viewOf({ f: sum('second', { window: '7d' }) })],
      'feature "activity:f": value "second": "second" is no column of the source; did you mean "seconds"?',
    ],
    [
      [user, clicks, viewOf({ f: count({ where: 'seconds', window: '7d' }) })],
      'feature "activity:f": where "seconds" is float64, and a condition is true or false',
    ],
    [
      [user, clicks, viewOf({ f: count({ where: "kind = 'clik'", window: '7d' }) })],
      `feature "activity:f": where "kind = 'clik'": 'clik' is none of the values of column "kind"; did you mean "click"?`,
    ],
    [[user, clicks, viewOf({ f: rate(loose({ window: '7d' })) })], 'feature "activity:f": condition is an SQL expression'],
    [
      [user, clicks, viewOf({ f: lastN('kind', { n: 0, window: '7d' }) })],
      'feature "activity:f": n is a whole number from 1 to 10000',
    ],
    [
      [user, clicks, viewOf({ f: count({ window: '7d', default: loose(fitted('mean')) }) })],
      'feature "activity:f": fitted("mean") is for float features, not int64',
    ],
    [
      [user, clicks, viewOf({ f: loose({ type: 'int64' }) })],
      'feature "activity:f" is made by an aggregate, such as count({ window: "7d" })',
    ],
    [[user, clicks, viewOf({})], 'stream feature view "activity" has no features'],
    [
      [user, viewOf({ f: count({ window: '7d' }) })],
      'stream feature view "activity": source "clicks" is exported by no file under features; export it',
    ],
    [
      [user, clicks, viewOf({ f: count({ window: '7d' }) }, { keys: { user_id: 'uid' } })],
      'stream feature view "activity": join key "user_id" is read from column "uid"',
    ],
  ])('%#', async (definitions, message) => {
    expect((await problemsOf(definitions, tables)).join('\n')).toContain(message);
  });
});
