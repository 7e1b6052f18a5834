import { batchSource, entity, featureView, fitted, parquet } from 'featherflight';

export const item = entity('item', {
  joinKeys: { item_id: 'int64' },
  description: 'A video.',
  owner: 'recommendations',
});

export const itemDaily = batchSource('item_daily', {
  table: parquet('data/item_daily/*.parquet'),
  eventTimestamp: 'event_timestamp',
  createdTimestamp: 'created_timestamp',
  availableAt: 'landed_at',
  owner: 'data-platform',
});

export const itemStats = featureView('item_stats', {
  entities: [item],
  source: itemDaily,
  ttl: '3d',
  description: 'How an item did in the last 7 days, as of the last midnight.',
  owner: 'recommendations',
  features: {
    item_popularity: { type: 'int64', default: 0, description: 'Views in 7 days.' },
    item_7d_click_rate: { type: 'float64', default: fitted('mean'), description: 'Clicks per view in 7 days.' },
    item_7d_completion_rate: {
      type: 'float64',
      default: fitted('mean'),
      description: 'Completions per click in 7 days.',
    },
    item_mean_watch_seconds: { type: 'float64', description: 'Seconds watched per click in 7 days.' },
    item_age_days: { type: 'int32', description: 'Days since it was published.' },
  },
});
