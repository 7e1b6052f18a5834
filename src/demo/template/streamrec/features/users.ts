import { batchSource, entity, featureView, fitted, parquet } from 'featherflight';

export const user = entity('user', {
  joinKeys: { user_id: 'int64' },
  description: 'Somebody who watches videos.',
  owner: 'recommendations',
});

// A nightly job writes one row per user and day. A row describes the days before midnight (`event_timestamp`), but nobody can
// read it before it lands three hours later: a training row of 01:00 must not see it.
export const userDaily = batchSource('user_daily', {
  table: parquet('data/user_daily/*.parquet'),
  eventTimestamp: 'event_timestamp',
  createdTimestamp: 'created_timestamp', // a row written again later is a correction and wins
  availableAt: 'landed_at',
  owner: 'data-platform',
});

export const userActivity = featureView('user_activity', {
  entities: [user],
  source: userDaily,
  ttl: '3d',
  description: 'What a user did lately, as of the last midnight.',
  owner: 'recommendations',
  features: {
    user_7d_completion_rate: {
      type: 'float64',
      default: fitted('mean'),
      description: 'Completions per click in 7 days; new users get the mean of everybody up to that day.',
    },
    user_7d_clicks: { type: 'int64', default: 0, description: 'Clicks in 7 days.' },
    user_7d_watch_seconds: { type: 'float64', default: 0, description: 'Seconds watched in 7 days.' },
    user_30d_views: { type: 'int64', default: 0, description: 'Views in 30 days.' },
    user_category_entropy: {
      type: 'float64',
      description: 'How widely a user looks around: entropy over categories in 30 days, natural log.',
    },
    user_top_category: {
      type: 'string',
      default: fitted('mode'),
      description: 'The category of most events in 30 days.',
    },
    user_days_since_seen: { type: 'int32', description: 'Days since the last event.' },
  },
});
