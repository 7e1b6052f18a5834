/**
 * The nightly batch job of the demo as SQL: features at the midnight ending a day, from the events before it.
 * Every sum is of integers and every rounding explicit, so that the numbers do not depend on threads.
 */

/** Tables that the job reads: `events(user_id, item_id, category, event_type, watched_ms, day)` and `items(item_id, published)`. */
export const perDaySql = [
  `create temp table user_day as
   select user_id, day, count(*) filter (event_type = 'view') as views, count(*) filter (event_type = 'click') as clicks,
     count(*) filter (event_type = 'completion') as completions, sum(watched_ms)::bigint as watched_ms
   from events group by user_id, day`,
  `create temp table user_day_category as
   select user_id, day, category, count(*) as events from events group by user_id, day, category`,
  `create temp table item_day as
   select item_id, day, count(*) filter (event_type = 'view') as views, count(*) filter (event_type = 'click') as clicks,
     count(*) filter (event_type = 'completion') as completions, sum(watched_ms)::bigint as watched_ms
   from events group by item_id, day`,
];

/** Seven features per user and midnight, for users seen within 30 days; midnight `day` ends the day before it. */
export const userDailySql = `
with taste as (
  select user_id, m.day, category, sum(events)::double as n
  from user_day_category c join midnights m on c.day >= m.day - 30 and c.day < m.day
  group by user_id, m.day, category
), entropy as (
  select user_id, day, round(ln(sum(n)) - sum(n * ln(n) order by category) / sum(n), 9) + 0.0 as category_entropy,
    arg_min(category, (-n, category)) as top_category
  from taste group by user_id, day
), windows as (
  select user_id, m.day, max(u.day) as last_day, sum(views) as views_30d,
    sum(clicks) filter (u.day >= m.day - 7) as clicks_7d, sum(completions) filter (u.day >= m.day - 7) as completions_7d,
    sum(watched_ms) filter (u.day >= m.day - 7) as watched_ms_7d
  from user_day u join midnights m on u.day >= m.day - 30 and u.day < m.day
  group by user_id, m.day
)
select user_id::bigint as user_id, day, least(completions_7d, clicks_7d)::double / nullif(clicks_7d, 0) as user_7d_completion_rate,
  coalesce(clicks_7d, 0)::bigint as user_7d_clicks, coalesce(watched_ms_7d, 0)::double / 1000 as user_7d_watch_seconds,
  views_30d::bigint as user_30d_views, category_entropy as user_category_entropy, top_category as user_top_category,
  (day - last_day)::integer as user_days_since_seen
from windows join entropy using (user_id, day)`;

/** Five features per item and midnight, for every item published before it. */
export const itemDailySql = `
with windows as (
  select item_id, m.day, sum(views) as views, sum(clicks) as clicks, sum(completions) as completions, sum(watched_ms) as watched_ms
  from item_day i join midnights m on i.day >= m.day - 7 and i.day < m.day
  group by item_id, m.day
)
select item_id::bigint as item_id, m.day, coalesce(views, 0)::bigint as item_popularity,
  least(clicks, views)::double / nullif(views, 0) as item_7d_click_rate,
  least(completions, clicks)::double / nullif(clicks, 0) as item_7d_completion_rate,
  round(watched_ms::double / nullif(clicks, 0) / 1000, 3) as item_mean_watch_seconds, (m.day - published)::integer as item_age_days
from items join midnights m on published < m.day left join windows using (item_id, day)`;

/**
 * A table of daily rows as it lands: with the midnight as event time, made ten minutes before it lands three hours late. One row in
 * fifty was wrong at first, since late events were missing (`wrong` says what it said), and was written again a day later.
 */
export function landedSql(table: string, key: string, wrong: string): string {
  const late = `(${key} * 7919 + day * 104729) % 50 = 0`;
  return `
select * exclude (day), midnight(day) as event_timestamp, midnight(day) + interval 170 minute as created_timestamp,
  midnight(day) + interval 3 hour as landed_at,
  strftime(midnight(day), '%Y-%m') as month
from (select * replace (${wrong}) from ${table} where ${late} union all select * from ${table} where not ${late})
union all
select * exclude (day), midnight(day), midnight(day) + interval 30 hour, midnight(day) + interval 3 hour, strftime(midnight(day), '%Y-%m')
from ${table} where ${late}`;
}
