/** SQL sources as documents: what their statements may say, what is bound of them, and what their hash depends on (semantics 11). */
import { describe, expect, it } from 'vitest';
import { batchSource, entity, eventSource, featureView, parquet, type SqlSourceOptions, sqlSource } from '../../../src/index.ts';
import type { SourceDocument } from '../../../src/registry/document.ts';
import { bindDefinitions, problemsOf, type Tables } from '../bind-definitions.ts';

const tables: Tables = {
  'clicks.parquet': {
    happened: 'TIMESTAMP WITH TIME ZONE',
    item_id: 'INTEGER',
    user_id: 'BIGINT',
    kind: 'VARCHAR',
    seconds: 'DOUBLE',
  },
  'profiles.parquet': {
    user_id: 'BIGINT',
    city: 'VARCHAR',
    seen: 'TIMESTAMP',
    tags: 'STRUCT(a INTEGER)',
    event_timestamp: 'TIMESTAMP',
    landed: 'TIMESTAMP WITH TIME ZONE',
    score: 'DECIMAL(10,2)',
  },
};
const clicks = eventSource('clicks', {
  history: parquet('clicks.parquet'),
  eventTimestamp: 'happened',
  columns: { item_id: 'int32', user_id: 'int64', kind: { type: 'string', values: ['view', 'click'] }, seconds: 'float64' },
});
const profiles = batchSource('profiles', {
  table: parquet('profiles.parquet'),
  eventTimestamp: 'event_timestamp',
  availableAt: 'landed',
  timezone: 'America/New_York',
});
const item = entity('item', { joinKeys: { item_id: 'int32' } });

const define = (sql: string, options: Partial<SqlSourceOptions> = {}) =>
  sqlSource('item_daily', { inputs: [clicks, profiles], every: '1d', offset: '3h', sql, ...options });

async function bind(sql: string, options: Partial<SqlSourceOptions> = {}): Promise<SourceDocument> {
  const { sources } = await bindDefinitions([clicks, profiles, define(sql, options)], tables);
  return sources.find(({ name }) => name === 'item_daily') as SourceDocument;
}

const refusals = (sql: string, options: Partial<SqlSourceOptions> = {}) =>
  problemsOf([clicks, profiles, define(sql, options)], tables);

const columnsOf = async (sql: string) =>
  Object.fromEntries((await bind(sql)).columns.slice(0, -2).map(({ name, type }) => [name, type]));

describe('an SQL source', () => {
  it('is a document with the columns of its statement, the tick and the run', async () => {
    const source = await bind(
      'select item_id, count(*) as clicks_30d from clicks where happened >= $tick - interval 30 day group by item_id',
    );
    expect(source).toMatchObject({
      kind: 'sql',
      eventTimestamp: 'event_timestamp',
      createdTimestamp: 'created_timestamp',
      table: { paths: [] },
      columns: [
        { name: 'item_id', type: 'INTEGER' },
        { name: 'clicks_30d', type: 'BIGINT' },
        { name: 'event_timestamp', type: 'TIMESTAMP WITH TIME ZONE' },
        { name: 'created_timestamp', type: 'TIMESTAMP WITH TIME ZONE' },
      ],
      query: { every: '1d', offset: '3h', asKnown: false, usesTick: true },
    });
    // No more is read than the statement names.
    expect(source.query?.inputs).toEqual([
      {
        source: 'clicks',
        columns: [
          { name: 'happened', type: 'timestamp' },
          { name: 'item_id', type: 'int32' },
        ],
      },
    ]);
  });

  it('is the source of a feature view, whose delay is at least its offset', async () => {
    const counts = define('select item_id, count(*) as n from clicks group by item_id');
    const view = (delay?: '1h' | '5h') =>
      featureView('item_counts', {
        entities: [item],
        source: counts,
        ttl: '2d',
        features: { n: { type: 'int64', default: 0n } },
        ...(delay && { delay }),
      });
    const delayOf = async (delay?: '1h' | '5h') =>
      (await bindDefinitions([clicks, profiles, item, counts, view(delay)], tables)).views[0]?.delay;
    expect(await delayOf()).toBe('3h');
    expect(await delayOf('1h')).toBe('3h');
    expect(await delayOf('5h')).toBe('5h');
  });

  it('stores what its statement gives by types that lose nothing', async () => {
    expect(
      await columnsOf(`select item_id, sum(user_id) as total, avg(seconds) as mean, array_agg(kind order by happened) as kinds,
        max(happened) as last, max(happened)::date as day, bool_or(kind = 'view') as saw, count(distinct kind) filter (where seconds > 1) as n
        from clicks group by item_id`),
    ).toEqual({
      item_id: 'INTEGER',
      total: 'BIGINT',
      mean: 'DOUBLE',
      kinds: 'VARCHAR[]',
      last: 'TIMESTAMP WITH TIME ZONE',
      day: 'DATE',
      saw: 'BOOLEAN',
      n: 'BIGINT',
    });
  });

  it('reads times of a source with a zone as instants, and every column where it has a star', async () => {
    expect(await columnsOf('select * exclude (event_timestamp) from profiles')).toEqual({
      user_id: 'BIGINT',
      city: 'VARCHAR',
      seen: 'TIMESTAMP WITH TIME ZONE',
      landed: 'TIMESTAMP WITH TIME ZONE',
      score: 'DECIMAL(10,2)',
    });
  });

  it('takes common table expressions, subqueries, joins, windows and unions of its inputs', async () => {
    for (const sql of [
      'with recent as (select * from clicks where happened >= $tick - interval 1 day), n as (select item_id, count(*) as n from recent group by all) select item_id, n, row_number() over (order by n desc, item_id) as place from n',
      'select item_id, (select max(score) from profiles p where p.user_id = c.user_id) as best from clicks as c',
      'select c.item_id, p.city, count(*) as n from clicks c left join profiles p using (user_id) group by c.item_id, p.city having count(*) > 1 order by n limit 10',
      'select item_id from clicks union all select cast(floor(score) as integer) from profiles',
      'select distinct on (user_id) user_id, lag(kind) over (partition by user_id order by happened rows between 3 preceding and current row) as before from clicks qualify row_number() over (partition by user_id order by happened) = 1',
      'select -sum(n / t * ln(n / t)) as entropy, user_id from (select user_id, kind, count(*)::double as n, sum(count(*)) over (partition by user_id) as t from clicks group by user_id, kind) group by user_id -- natural',
      "select user_id, extract(hour from happened) as h, date_trunc('day', happened) as d, coalesce(kind, 'none') || '!' as k, case when seconds > 1 then 1 else 0 end as long from clicks where kind like 'v%' and item_id in (1, 2) and kind is not null;",
      'select item_id, median(seconds) as m, quantile_cont(seconds, 0.9) as q, stddev(seconds) as s from clicks group by rollup (item_id)',
    ]) {
      expect(await refusals(sql), sql).toEqual([]);
    }
  });
});

describe('a statement is refused, by its name and with the nearest,', () => {
  it.each([
    ['select * from clickz', 'source "item_daily": sql is refused: "clickz" is none of its inputs; did you mean "clicks"?'],
    ["select * from 'data/clicks.parquet'", '"data/clicks.parquet" is none of its inputs'],
    ["select * from read_parquet('data/*.parquet')", 'the table function read_parquet(…)'],
    ['select * from range(10)', 'the table function range(…)'],
    ['select unnest([1, 2]) as x from clicks', 'unnest is not among the functions'],
    ['select * from main.clicks', '"main.clicks" is none of its inputs'],
    ['select * from duckdb_settings', '"duckdb_settings" is none of its inputs'],
    ['select * from information_schema.tables', '"information_schema.tables" is none of its inputs'],
    // The name of a common table expression says nothing outside of it.
    ['select * from (with "a.parquet" as (select 1 as x) select * from "a.parquet"), "a.parquet"', '"a.parquet" is none'],
    ['with a as (select * from b), b as (select 1 as x) select * from a', '"b" is none of its inputs'],
    ['select now() as x from clicks', 'now is not among the functions of statements; the time that a run may know is $tick'],
    ['select current_date as x from clicks', 'current_date depends on the clock or the session'],
    ['select current_timestamp as x from clicks', 'current_timestamp depends on the clock'],
    ['select item_id from clicks where happened > CURRENT_TIMESTAMP', 'depends on the clock'],
    ['select random() as x from clicks', 'random is not among'],
    ['select uper(kind) as x from clicks', 'did you mean "upper"?'],
    ["select getenv('HOME') as x", 'getenv is not among'],
    ['select sun(seconds) as x from clicks', 'did you mean "sum"?'],
    ["select count(*) as n from clicks having max(getvariable('x')) > 1", 'getvariable is not among'],
    ['select array_agg(kind) as x from clicks', 'array_agg has no order of its own'],
    ['select item_id from clicks where happened > $tock', '$tock is no parameter: there is $tick alone'],
    ['select item_id from clicks where item_id = ?', 'there is $tick alone'],
    ['select seconds::bigint as x from clicks', 'a cast to BIGINT would round'],
    ['select try_cast(kind as double) as x from clicks', 'try_cast is not accepted'],
    ['select kind::json as x from clicks', 'a cast to type json is not accepted'],
    ['select item_id from clicks using sample 10', 'it takes a sample'],
    ['select item_id from clicks tablesample 10%', 'it takes a sample'],
    ['with recursive r as (select 1 as x union all select x + 1 from r where x < 9) select x from r', 'recursive'],
    ["select columns('.*') from clicks", 'COLUMNS(…) is not accepted'],
    ['select list_transform([1], lambda x: x) as y from clicks', 'list_transform is not among'],
    ['select * from clicks natural join profiles', 'natural join'],
    ["select date_part('epoch', happened) as x from clicks", 'the first argument of extract is one of'],
    ['select item_id from clicks order by item_id limit 10%', 'a limit in percent'],
    ['select 1 as x; select 2 as x', 'it is not one statement'],
    ["copy clicks to 'x.parquet'", 'it is no select'],
    ['create table x as select 1', 'it is no select'],
    ['show tables', 'is not accepted'],
    ['select itemid from clicks', 'Referenced column "itemid" not found'],
    ['selec 1', 'syntax error'],
    ['select tags from profiles', 'Referenced column "tags" not found'],
    ['select item_id, happened as event_timestamp from clicks', 'gives a column "event_timestamp", which every SQL source has'],
    ['select $tick - happened as x from clicks', 'column "x" as INTERVAL, which no value type holds'],
  ])('%s', async (sql, message) => {
    const problems = await refusals(sql);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(message);
  });

  it('and so are options that cannot be', async () => {
    const sql = 'select item_id from clicks';
    const counts = define(sql);
    const other = sqlSource('other', { inputs: [counts] as never, every: '1d', sql: 'select 1 as x from item_daily' });
    expect(await problemsOf([clicks, profiles, counts, other], tables)).toEqual([
      'source "other": input "item_daily" is an SQL source itself; write its statement as a common table expression: with item_daily as (…)',
    ]);
    expect(await refusals(sql, { every: '0' })).toEqual([
      'source "item_daily": every is the time from one tick to the next, such as "1d"; it cannot be 0',
    ]);
    expect((await refusals(sql, { every: '1w' as never }))[0]).toContain('every: duration "1w" cannot be read');
    expect((await refusals(sql, { offset: '1w' as never }))[0]).toContain('offset: duration "1w" cannot be read');
    expect((await refusals(sql, { inputs: [] }))[0]).toContain('inputs is an array');
    expect((await refusals(sql, { evry: '1d' } as never))[0]).toContain('"evry" is no option; did you mean "every"?');
    expect(await problemsOf([clicks, define(sql)], tables)).toEqual([
      'source "item_daily": input "profiles" is exported by no file under features; export it',
    ]);
  });
});

describe('the hash that results are kept under', () => {
  const sql = 'select item_id, count(*) as n from clicks group by item_id';
  const hash = async (options: Partial<SqlSourceOptions> = {}, text = sql) => (await bind(text, options)).query?.hash;

  it('changes with whatever changes rows, and with nothing else', async () => {
    const first = await hash();
    expect(await hash({ description: 'counts', tags: { a: 'b' } })).toBe(first);
    expect(await hash({ inputs: [clicks] })).toBe(first);
    for (const options of [{ every: '1h' }, { offset: '1h' }, { asKnown: true }] as const)
      expect(await hash(options)).not.toBe(first);
    expect(await hash({}, `${sql} having count(*) > 1`)).not.toBe(first);
  });
});
