/** What the compiler refuses in a definitions file, so that editors mark it before `plan` does. */
import { describe, it } from 'vitest';
import { batchSource } from '../../src/definitions/batch-source.ts';
import { entity } from '../../src/definitions/entity.ts';
import { featureService } from '../../src/definitions/feature-service.ts';
import { featureView } from '../../src/definitions/feature-view.ts';
import { fitted } from '../../src/definitions/fitted.ts';
import { onDemandFeatureView } from '../../src/definitions/on-demand-feature-view.ts';
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

  it('knows what a transform reads and must answer with', () => {
    const clock = onDemandFeatureView('clock', {
      request: { user_timezone: 'string', seen_at: 'timestamp' },
      inputs: [
        view.select('age', 'seen', 'tags', 'paid'),
        view.as('other').withKeys({ item_id: 'other_id' }).select('embedding', 'raw'),
        global,
      ],
      features: {
        local_hour: 'int32',
        seen_before: { type: 'int64', description: 'How often.' },
        sum: 'decimal(12,2)',
        tags: 'list(string)',
        first: 'float32',
      },
      transform: ({ request, now, features }) => {
        const age: number | null = features.pair.age;
        const raw: Uint8Array | null = features.other.raw;
        const rate: number | null = features.global.rate;
        const late: boolean = request.seen_at !== null && request.seen_at > now.epochMicros;
        return {
          local_hour: now.in(request.user_timezone).hour,
          seen_before: late ? 0 : features.pair.seen,
          sum: features.pair.paid,
          tags: features.pair.tags,
          first: features.other.embedding?.[0] ?? rate ?? age ?? raw?.length ?? null,
        };
      },
    });
    featureService('timed', { features: [clock, clock.select('local_hour').as('home'), view] });
    onDemandFeatureView('bare', { features: { year: 'int32' }, transform: ({ now }) => ({ year: now.in('UTC').year }) });
  });

  it('refuses transforms that read or answer what is not there', () => {
    const options = { inputs: [view.select('age')], request: { zone: 'string' }, features: { hour: 'int32' } } as const;
    // @ts-expect-error not among the inputs
    onDemandFeatureView('v', { ...options, transform: ({ features }) => ({ hour: features.pair.score }) });
    // @ts-expect-error no such request value
    onDemandFeatureView('v', { ...options, transform: ({ request }) => ({ hour: request.zoon === null ? 1 : 2 }) });
    // @ts-expect-error a text is no int32
    onDemandFeatureView('v', { ...options, transform: ({ request }) => ({ hour: request.zone }) });
    // @ts-expect-error a feature is missing
    onDemandFeatureView('v', { ...options, transform: () => ({}) });
    // @ts-expect-error no such type
    onDemandFeatureView('v', { features: { hour: 'int' }, transform: () => ({ hour: 1 }) });
    // @ts-expect-error an on-demand view is no input
    onDemandFeatureView('v', { ...options, inputs: [onDemandFeatureView('w', { ...options, transform: () => ({ hour: 1 }) })] });
    // @ts-expect-error no such feature
    onDemandFeatureView('v', { ...options, transform: () => ({ hour: 1 }) }).select('our');
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
