import { featureService } from 'featherflight';
import { itemStats } from './items.ts';
import { userSession, userWindows } from './live.ts';
import { userActivity } from './users.ts';

export const ranker = featureService('ranker_v1', {
  features: [userActivity, itemStats, userSession, userWindows],
  description: 'What the ranker learns from, and what it is served.',
  owner: 'recommendations',
});
