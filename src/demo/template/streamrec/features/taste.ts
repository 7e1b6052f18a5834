import { featureView, sqlSource } from 'featherflight';
import { clicks } from './clicks.ts';
import { user } from './users.ts';

// No bound of time anywhere, and no leak: inside the run of each midnight `clicks` holds the events before it alone.
export const userTasteDaily = sqlSource('user_taste_daily', {
  inputs: [clicks],
  every: '1d',
  offset: '3h',
  sql: `
    with shares as (
      select user_id, category, count(*) / sum(count(*)) over (partition by user_id) as share
      from clicks
      group by user_id, category
    )
    select user_id, 0.0 - sum(share * ln(share) order by category) as user_category_entropy
    from shares
    group by user_id`,
  description: 'How widely users have looked around until each midnight.',
  owner: 'recommendations',
});

export const userTaste = featureView('user_taste', {
  entities: [user],
  source: userTasteDaily,
  ttl: '3d',
  description: 'What a user has liked ever since.',
  owner: 'recommendations',
  features: {
    user_category_entropy: {
      type: 'float64',
      description: 'How widely a user has looked around ever since: entropy over categories, natural log.',
    },
  },
});
