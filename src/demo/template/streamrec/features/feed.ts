import { featureService, featureView, onDemandFeatureView } from 'featherflight';
import { userSession, userWindows } from './live.ts';
import { user, userDaily } from './users.ts';

// Without a ttl: what was last known of a user, however long ago.
export const userLatest = featureView('user_latest', {
  entities: [user],
  source: userDaily,
  description: 'What was last known of a user.',
  owner: 'feed',
  features: {
    last_top_category: { type: 'string', column: 'user_top_category', description: 'The category of most events.' },
    last_30d_views: { type: 'int64', column: 'user_30d_views', default: 0, description: 'Views in 30 days.' },
  },
});

// One function for training and serving: both see the hour on the user's own clock, not the server's.
export const clock = onDemandFeatureView('clock', {
  request: { user_timezone: 'string' },
  description: 'Where the day stands for the user.',
  owner: 'feed',
  features: { local_hour: { type: 'int32', description: "The hour on the user's clock." } },
  transform: ({ request, now }) => ({ local_hour: now.in(request.user_timezone).hour }),
});

export const feed = featureService('feed_v1', {
  features: [userLatest, userSession, userWindows, clock],
  description: 'What the feed page is put together from.',
  owner: 'feed',
});
