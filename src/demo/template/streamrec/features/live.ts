import { count, duration, fitted, last, lastN, mean, rate, streamFeatureView, sum, topK } from 'featherflight';
import { clicks } from './clicks.ts';
import { user } from './users.ts';

// Each is written once: training computes it from past events as of each row's time, the server keeps it up to date with the events
// that come in. An event may take two seconds until it is served (`delay`), so training does not see it sooner either.
export const userSession = streamFeatureView('user_session', {
  entities: [user],
  source: clicks,
  session: { gap: '30m' },
  delay: '2s',
  description: 'What a user is doing right now: the events since the last break of 30 minutes.',
  owner: 'recommendations',
  features: {
    session_click_count: count({ where: `event_type = 'click'`, description: 'Clicks.' }),
    session_duration_sec: duration({ default: 0, description: 'Seconds from the first event to the last.' }),
    session_last_category: last('category', { where: `event_type = 'click'`, description: 'The category of the last click.' }),
    session_last_items: lastN('item_id', {
      n: 3,
      where: `event_type = 'click'`,
      description: 'The items clicked last, the newest first.',
    }),
    session_mean_watch_sec: mean('watch_seconds', {
      where: 'watch_seconds > 0',
      description: 'Seconds watched of a video that was watched.',
    }),
  },
});

export const userWindows = streamFeatureView('user_windows', {
  entities: [user],
  source: clicks,
  delay: '2s',
  description: 'What a user did in windows that end now.',
  owner: 'recommendations',
  features: {
    clicks_1h: count({ where: `event_type = 'click'`, window: '1h', description: 'Clicks in an hour.' }),
    watch_seconds_1d: sum('watch_seconds', { window: '1d', description: 'Seconds watched in a day.' }),
    completion_rate_7d: rate({
      condition: `event_type = 'completion'`,
      over: `event_type = 'click'`,
      window: '7d',
      default: fitted('mean'),
      description: 'Completions per click in 7 days; who clicked on nothing gets the mean of everybody.',
    }),
    top_categories_30d: topK('category', { k: 2, window: '30d', description: 'The categories of most events in 30 days.' }),
    completions_ever: count({
      where: `event_type = 'completion'`,
      window: 'lifetime',
      description: 'Videos watched to their end, ever.',
    }),
  },
});
