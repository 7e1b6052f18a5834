/** Definitions that the benchmarks of events share: a user's windows and session over a topic. */
export const featuresFile = (stream) => `
import { entity, eventSource, streamFeatureView, kafka, count, rate, sum, mean, max, lastN, topK, countDistinct, duration } from 'featherflight';
export const user = entity('user', { joinKeys: { user_id: 'int64' } });
export const clicks = eventSource('clicks', {
  eventTimestamp: 'at',
  ${stream === undefined ? '' : `stream: kafka({ brokers: ['${stream}'], topic: 'clicks' }),`}
  columns: { user_id: 'int64', item_id: 'int64', category: 'string', seconds: 'float64', sequence: 'int64',
             event_type: { type: 'string', values: ['view', 'click', 'completion'] } },
});
export const activity = streamFeatureView('activity', { entities: [user], source: clicks, features: {
  clicks_1h: count({ where: "event_type = 'click'", window: '1h' }),
  clicks_1d: count({ where: "event_type = 'click'", window: '1d' }),
  clicks_7d: count({ where: "event_type = 'click'", window: '7d' }),
  completion_rate_7d: rate({ condition: "event_type = 'completion'", over: "event_type in ('click', 'completion')", window: '7d' }),
  watched_1d: sum('seconds', { window: '1d' }),
  mean_7d: mean('seconds', { window: '7d' }),
  newest: max('sequence', { window: '1d' }),
  categories_7d: topK('category', { k: 3, window: '7d' }),
  last_items: lastN('item_id', { n: 10, window: '7d' }),
  different_1d: countDistinct('category', { window: '1d' }),
} });
export const session = streamFeatureView('session', { entities: [user], source: clicks, session: { gap: '30m' },
  features: { events: count(), seconds: duration() } });
`;

export const configFile = (project, online) => `
import { defineConfig, redis } from 'featherflight';
export default defineConfig({ project: '${project}', http: { host: '127.0.0.1', port: 0 }, flight: { host: '127.0.0.1', port: 0 },
  ${online === undefined ? '' : `onlineStore: redis({ url: '${online}' }),`} });
`;

/** An event as a producer would write it. */
export function eventOf(index, users, atMs = Date.now()) {
  const at = atMs * 1000;
  const event_type = ['view', 'click', 'completion'][index % 3];
  const category = `category ${index % 17}`;
  return {
    at,
    user_id: (index * 7919) % users,
    item_id: (index * 31) % 5000,
    category,
    seconds: (index % 100) / 3,
    sequence: index,
    event_type,
  };
}
