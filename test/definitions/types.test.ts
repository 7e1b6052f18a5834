/** What the compiler refuses in a definitions file, so that editors mark it before `plan` does. */
import { describe, it } from 'vitest';
import { batchSource } from '../../src/definitions/batch-source.ts';
import { entity } from '../../src/definitions/entity.ts';
import { featureService } from '../../src/definitions/feature-service.ts';
import { featureView } from '../../src/definitions/feature-view.ts';
import { fitted } from '../../src/definitions/fitted.ts';
import { csv, parquet } from '../../src/definitions/table.ts';

const user = entity('user', { joinKeys: { user_id: 'int64' } });
const item = entity('item', { joinKeys: { item_id: 'string' } });
const source = batchSource('pairs', { table: parquet('data/*.parquet'), eventTimestamp: 'event_timestamp' });

const view = featureView('pair', {
  entities: [user, item],
  source,
  ttl: '30d',
  keys: { user_id: 'uid' },
  features: {
    age: { type: 'int32', default: -1 },
    seen: { type: 'int64', default: 3n },
    score: { type: 'float64', column: 'score_v2', default: fitted('mean') },
    name: { type: 'string', default: fitted('mode') },
    paid: { type: 'decimal(12,2)', default: '0.00' },
    tags: { type: 'list(string)', default: [] },
    embedding: { type: 'vector(float32, 3)', default: [0, 0, 0] },
    since: { type: 'timestamp', default: '2026-03-10T12:00:00Z' },
    raw: { type: 'bytes', default: new Uint8Array([1]) },
  },
});
const global = featureView('global', { entities: [], source, features: { rate: { type: 'float32' } } });

describe('the compiler', () => {
  it('takes what the language allows', () => {
    featureService('both', {
      features: [view, global, view.select('age', 'score').as('candidate').withKeys({ item_id: 'candidate_id' })],
    });
  });

  it('refuses wrong names and types', () => {
    // @ts-expect-error no such key type
    entity('x', { joinKeys: { x_id: 'float64' } });
    // @ts-expect-error no such feature
    view.select('agee');
    // @ts-expect-error no such join key
    view.withKeys({ user: 'uid' });
    // @ts-expect-error no such join key
    featureView('v', { entities: [user], source, keys: { item_id: 'x' }, features: {} });
    // @ts-expect-error a text is no int32
    featureView('v', { entities: [user], source, features: { age: { type: 'int32', default: 'x' } } });
    // @ts-expect-error a mean of texts is nothing
    featureView('v', { entities: [user], source, features: { name: { type: 'string', default: fitted('mean') } } });
    // @ts-expect-error no such type
    featureView('v', { entities: [user], source, features: { name: { type: 'text' } } });
    // @ts-expect-error not a duration
    featureView('v', { entities: [user], source, ttl: '2w', features: {} });
    // @ts-expect-error an option of csv
    parquet('x.parquet', { delimiter: ';' });
    csv('x.csv', { delimiter: ';', columnTypes: { zip_code: 'string' } });
  });
});
