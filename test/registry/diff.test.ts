import { describe, expect, it } from 'vitest';
import { batchSource, entity, featureService, featureView, parquet } from '../../src/index.ts';
import { diffDocuments } from '../../src/registry/diff.ts';
import { formatPlan } from '../../src/registry/format-plan.ts';
import { bindDefinitions } from './bind-definitions.ts';

const columns = { user_id: 'BIGINT', at: 'TIMESTAMP WITH TIME ZONE', age: 'INTEGER', score: 'DOUBLE', hash: 'VARCHAR' };

interface Variant {
  readonly viewOptions?: object;
  readonly features?: object;
  readonly sourceOptions?: object;
  readonly entityOptions?: object;
  readonly columns?: Record<string, string>;
  readonly service?: boolean;
}

const documentOf = async (variant: Variant = {}) => {
  const user = entity('user', { joinKeys: { user_id: 'int64' }, ...variant.entityOptions });
  const source = batchSource('profiles', { table: parquet('p.parquet'), eventTimestamp: 'at', ...variant.sourceOptions });
  const features = { age: { type: 'int32' }, hash: { type: 'string' }, ...variant.features } as never;
  const view = featureView('profile', { entities: [user], source, features, ...variant.viewOptions });
  const service = featureService('ranker', { features: [view] });
  return await bindDefinitions([user, source, view, ...(variant.service === false ? [] : [service])], {
    'p.parquet': variant.columns ?? columns,
  });
};

const changesBetween = async (before: Variant, after: Variant) => {
  const { changes } = diffDocuments(await documentOf(before), await documentOf(after));
  return changes.map(({ action, kind, name, fields, services }) => ({
    what: `${action} ${kind} ${name}`,
    fields: Object.fromEntries(fields.map((field) => [field.path, [field.before, field.after]])),
    services,
  }));
};

describe('diffDocuments', () => {
  it('adds everything where nothing is applied, and says nothing of what is the same', async () => {
    const document = await documentOf();
    expect(diffDocuments(undefined, document).changes.map(({ action, kind, name }) => `${action} ${kind} ${name}`)).toEqual([
      'add entity user',
      'add source profiles',
      'add feature view profile',
      'add feature service ranker',
    ]);
    expect(diffDocuments(document, await documentOf())).toEqual({ changes: [] });
    expect(diffDocuments(JSON.parse(JSON.stringify(document)), document)).toEqual({ changes: [] });
  });

  it('names each changed field with its values and the services that see it', async () => {
    const changed = { age: { type: 'int64', default: 0, description: 'Years.' } };
    expect(await changesBetween({ viewOptions: { ttl: '30d' } }, { viewOptions: { ttl: '7d' }, features: changed })).toEqual([
      {
        what: 'change feature view profile',
        fields: {
          ttl: ['30d', '7d'],
          'features.age.type': ['int32', 'int64'],
          'features.age.default': [undefined, { literal: '0' }],
          'features.age.description': [undefined, 'Years.'],
        },
        services: ['ranker'],
      },
    ]);
  });

  it('follows a source and an entity to the services over them', async () => {
    expect(await changesBetween({}, { sourceOptions: { availableAt: 'at' }, entityOptions: { owner: 'growth' } })).toEqual([
      { what: 'change entity user', fields: { owner: [undefined, 'growth'] }, services: ['ranker'] },
      { what: 'change source profiles', fields: { availableAt: [undefined, 'at'] }, services: ['ranker'] },
    ]);
  });

  it('shows a column that came, went or changed its type, even one named hash', async () => {
    const { hash, ...others } = columns;
    const [change] = await changesBetween({}, { columns: { ...others, hash: "ENUM('a')", more: 'DATE' } });
    expect(hash).toBe('VARCHAR');
    expect(change).toMatchObject({
      what: 'change source profiles',
      fields: { 'columns.hash': ['VARCHAR', "ENUM('a')"], 'columns.more': [undefined, 'DATE'] },
    });
  });

  it('shows a changed order of features, which is the order of the answer', async () => {
    const swapped = { viewOptions: { features: { hash: { type: 'string' }, age: { type: 'int32' } } } };
    expect(await changesBetween({}, swapped)).toEqual([
      {
        what: 'change feature view profile',
        fields: {
          'features (order)': [
            ['age', 'hash'],
            ['hash', 'age'],
          ],
        },
        services: ['ranker'],
      },
      {
        what: 'change feature service ranker',
        fields: { features: [expect.anything(), expect.anything()] },
        services: ['ranker'],
      },
    ]);
  });

  it('removes what is defined no more, still naming the service that had it', async () => {
    expect((await changesBetween({}, { service: false })).map(({ what, services }) => [what, services])).toEqual([
      ['remove feature service ranker', ['ranker']],
    ]);
    expect((await changesBetween({ features: { score: { type: 'float64' } } }, {}))[0]).toMatchObject({
      fields: { 'features.score.type': ['float64', undefined] },
      services: ['ranker'],
    });
  });
});

describe('formatPlan', () => {
  it('prints additions and removals by name, changes field by field, and a count', async () => {
    expect(formatPlan(diffDocuments(undefined, await documentOf()))).toBe(
      [
        '+ entity user  (features/entity.ts, touches ranker)',
        '+ source profiles  (features/batchSource.ts, touches ranker)',
        '+ feature view profile  (features/featureView.ts, touches ranker)',
        '+ feature service ranker  (features/featureService.ts)',
        '',
        '4 to add, 0 to change, 0 to remove.',
      ].join('\n'),
    );
    const plan = diffDocuments(
      await documentOf({ viewOptions: { ttl: '30d', delay: '3h' } }),
      await documentOf({ viewOptions: { ttl: '7d', asKnown: true } }),
    );
    expect(formatPlan(plan)).toBe(
      [
        '~ feature view profile  (features/featureView.ts, touches ranker)',
        '    ~ ttl: 30d -> 7d',
        '    ~ asKnown: false -> true',
        '    - delay: 3h',
        '',
        '0 to add, 1 to change, 0 to remove.',
      ].join('\n'),
    );
  });

  it('says so when nothing changes', () => {
    expect(formatPlan({ changes: [] })).toContain('No changes');
  });
});
