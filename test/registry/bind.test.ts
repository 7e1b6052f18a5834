import { describe, expect, it } from 'vitest';
import { batchSource, csv, entity, featureService, featureView, fitted, json, parquet } from '../../src/index.ts';
import { bindDefinitions, problemsOf, type Tables, toolsFor } from './bind-definitions.ts';

const tables: Tables = {
  'p.parquet': {
    uid: 'BIGINT',
    at: 'TIMESTAMP WITH TIME ZONE',
    written: 'TIMESTAMP WITH TIME ZONE',
    local: 'TIMESTAMP',
    age: 'INTEGER',
    score: 'DOUBLE',
    names: 'VARCHAR[]',
  },
};
const user = entity('user', { joinKeys: { user_id: 'int64' }, owner: 'growth', description: 'A person.' });
const source = batchSource('profiles', { table: parquet('p.parquet'), eventTimestamp: 'at', createdTimestamp: 'written' });
const base = { entities: [user], source, keys: { user_id: 'uid' } } as const;
const view = featureView('profile', {
  ...base,
  ttl: '30d',
  features: { score: { type: 'float64', default: fitted('mean') }, years: { type: 'int32', column: 'age', default: -1 } },
});
const loose = (value: unknown) => value as never;

describe('bindRepository', () => {
  it('makes the document that apply stores', async () => {
    const ranker = featureService('ranker_v1', {
      features: [view, view.select('years').as('friend').withKeys({ user_id: 'friend_id' })],
      deprecated: { since: '2026-01-01', reason: 'old' },
    });
    const document = await bindDefinitions([ranker, view, source, user], tables);
    expect(document).toEqual({
      format: 1,
      project: 'test',
      entities: [
        {
          name: 'user',
          joinKeys: [{ name: 'user_id', type: 'int64' }],
          description: 'A person.',
          owner: 'growth',
          tags: {},
          file: 'features/entity.ts',
        },
      ],
      sources: [
        {
          name: 'profiles',
          kind: 'batch',
          table: { format: 'parquet', paths: ['p.parquet'], hivePartitioning: false, options: {} },
          eventTimestamp: 'at',
          createdTimestamp: 'written',
          columns: Object.entries(tables['p.parquet'] ?? {}).map(([name, type]) => ({ name, type })),
          tags: {},
          file: 'features/batchSource.ts',
        },
      ],
      views: [
        {
          name: 'profile',
          kind: 'batch',
          entities: ['user'],
          source: 'profiles',
          keys: [{ name: 'user_id', type: 'int64', column: 'uid' }],
          ttl: '30d',
          asKnown: false,
          features: [
            {
              name: 'score',
              type: 'float64',
              column: 'score',
              default: { fitted: 'mean' },
              hash: expect.stringMatching(/^[0-9a-f]{64}$/),
            },
            {
              name: 'years',
              type: 'int32',
              column: 'age',
              default: { literal: -1 },
              hash: expect.stringMatching(/^[0-9a-f]{64}$/),
            },
          ],
          tags: {},
          file: 'features/featureView.ts',
        },
      ],
      services: [
        {
          name: 'ranker_v1',
          features: [
            { view: 'profile', features: ['score', 'years'] },
            { view: 'profile', prefix: 'friend', keys: { user_id: 'friend_id' }, features: ['years'] },
          ],
          deprecated: { since: '2026-01-01', reason: 'old' },
          tags: {},
          file: 'features/featureService.ts',
        },
      ],
    });
    expect(JSON.parse(JSON.stringify(document))).toEqual(document);
  });

  it('binds composite keys, global views and every kind of default', async () => {
    const pair = entity('pair', { joinKeys: { a: 'string', b: 'bool' } });
    const pairs = batchSource('pairs', {
      table: csv('pairs.csv'),
      eventTimestamp: 'day',
      timezone: 'Europe/Paris',
      ambiguousTime: 'later',
    });
    const document = await bindDefinitions(
      [
        pair,
        pairs,
        featureView('pair', { entities: [pair], source: pairs, features: { n: { type: 'int64', default: 3n } } }),
        featureView('global', {
          entities: [],
          source: pairs,
          features: { m: { type: 'timestamp', column: 'day', default: fitted('mode') } },
        }),
      ],
      { 'pairs.csv': { a: "ENUM('x', 'it''s')", b: 'BOOLEAN', n: 'SMALLINT', day: 'DATE' } },
    );
    expect(document.views.map(({ name, keys, features }) => [name, keys.length, features[0]?.default])).toEqual([
      ['global', 0, { fitted: 'mode' }],
      ['pair', 2, { literal: '3' }],
    ]);
    expect(document.sources[0]).toMatchObject({
      timezone: 'Europe/Paris',
      ambiguousTime: 'later',
      table: { options: { sample_size: -1 } },
    });
  });

  it('translates reader options', async () => {
    const table = csv(['a.csv'], {
      delimiter: ';',
      header: true,
      nullText: 'NA',
      hivePartitioning: true,
      columnTypes: { zip: 'string', tags: 'list(int64)' },
    });
    const lines = json('b.json', { layout: 'lines', timestampFormat: '%d' });
    const document = await bindDefinitions(
      [batchSource('a', { table, eventTimestamp: 't' }), batchSource('b', { table: lines, eventTimestamp: 't' })],
      {
        'a.csv': { t: 'TIMESTAMP WITH TIME ZONE', zip: 'VARCHAR', tags: 'BIGINT[]' },
        'b.json': { t: 'TIMESTAMP WITH TIME ZONE' },
      },
    );
    expect(document.sources.map((bound) => bound.table)).toEqual([
      {
        format: 'csv',
        paths: ['a.csv'],
        hivePartitioning: true,
        options: { sample_size: -1, delim: ';', header: true, nullstr: 'NA' },
        columnTypes: { zip: 'VARCHAR', tags: 'BIGINT[]' },
      },
      {
        format: 'json',
        paths: ['b.json'],
        hivePartitioning: false,
        options: { sample_size: -1, format: 'newline_delimited', timestampformat: '%d' },
      },
    ]);
  });
});

describe('a feature hash (rule 8.3)', () => {
  const hashOf = async (changed: object, sourceChanges: object = {}): Promise<string | undefined> => {
    const from = batchSource('profiles', { table: parquet('p.parquet'), eventTimestamp: 'at', ...sourceChanges });
    const one = featureView('profile', {
      ...base,
      source: from,
      features: { years: { type: 'int32', column: 'age', ...changed } as never },
    });
    return (await bindDefinitions([user, from, one], tables)).views[0]?.features[0]?.hash;
  };

  it('stays when only what is said for people or the default changes', async () => {
    const hash = await hashOf({});
    expect(await hashOf({ description: 'Years.' })).toBe(hash);
    expect(await hashOf({ default: 3 })).toBe(hash);
    expect(await hashOf({}, { owner: 'someone', tags: { a: 'b' } })).toBe(hash);
  });

  it('changes with type, column and the identity of the source', async () => {
    const hashes = [
      await hashOf({}),
      await hashOf({ type: 'int64' }),
      await hashOf({ type: 'int64', column: 'uid' }),
      await hashOf({}, { createdTimestamp: 'written' }),
      await hashOf({}, { availableAt: 'written' }),
      await hashOf({}, { timezone: 'UTC' }),
      await hashOf({}, { table: parquet('p.parquet', { unionByName: true }) }),
    ];
    expect(new Set(hashes).size).toBe(hashes.length);
  });
});

describe('what bindRepository refuses', () => {
  const features = { age: { type: 'int32' } } as const;

  it('names every problem of every file at once', async () => {
    const bad = featureView('profile', {
      ...base,
      ttl: loose('2w'),
      features: {
        agee: { type: 'int32' },
        score: { type: 'float32' },
        ok: loose({ type: 'int32', column: 'age', default: 'x' }),
      },
    });
    const service = featureService('ranker', { features: [bad.select(loose('scroe'))] });
    expect(await problemsOf([user, source, bad, service], tables)).toEqual([
      'feature view "profile": ttl: duration "2w" cannot be read: a duration is a whole number and one of the units s, m, h, d: 90s, 5m, 12h, 7d',
      'feature "profile:agee" is read from column "agee", which "p.parquet" does not have; did you mean "age"?',
      'feature "profile:score" is float32, and column "score" is DOUBLE, which would lose information; declare float64',
      'feature "profile:ok": default "x" is no int32: write a whole number',
      'feature service "ranker": feature view "profile" has no feature "scroe"; did you mean "score"?',
    ]);
  });

  it.each<[string, readonly unknown[], string]>([
    [
      'a file that is not there',
      [batchSource('x', { table: parquet('none.parquet'), eventTimestamp: 'at' })],
      'source "x": no file matches "none.parquet"',
    ],
    [
      'a missing event time',
      [batchSource('x', { table: parquet('p.parquet'), eventTimestamp: 'att' })],
      'eventTimestamp is column "att", which "p.parquet" does not have; did you mean "at"?',
    ],
    [
      'an event time that is none',
      [batchSource('x', { table: parquet('p.parquet'), eventTimestamp: 'age' })],
      'which is no time but INTEGER',
    ],
    [
      'rule 1.2: a zone-less event time',
      [batchSource('x', { table: parquet('p.parquet'), eventTimestamp: 'local' })],
      'eventTimestamp is column "local", a TIMESTAMP without a zone',
    ],
    [
      'rule 1.2: a zone-less created time',
      [batchSource('x', { table: parquet('p.parquet'), eventTimestamp: 'at', createdTimestamp: 'local' })],
      'createdTimestamp is column "local", a TIMESTAMP without a zone',
    ],
    [
      'rule 1.2: a zone-less available time',
      [batchSource('x', { table: parquet('p.parquet'), eventTimestamp: 'at', availableAt: 'local' })],
      'availableAt is column "local"',
    ],
    [
      'an unknown zone',
      [batchSource('x', { table: parquet('p.parquet'), eventTimestamp: 'at', timezone: 'America/NewYork' })],
      'timezone "America/NewYork" is no IANA zone; did you mean "America/New_York"?',
    ],
    [
      'an offset as a zone',
      [batchSource('x', { table: parquet('p.parquet'), eventTimestamp: 'at', timezone: '+02:00' })],
      'is no IANA zone',
    ],
    [
      'an unknown policy',
      [batchSource('x', { table: parquet('p.parquet'), eventTimestamp: 'at', ambiguousTime: loose('first') })],
      'ambiguousTime is "earlier" or "later", not "first"',
    ],
    [
      'a table made by hand',
      [batchSource('x', { table: loose('p.parquet'), eventTimestamp: 'at' })],
      'table is made by parquet(…), csv(…) or json(…)',
    ],
    [
      'a path that is no file',
      [batchSource('x', { table: parquet('s3://b/p.parquet'), eventTimestamp: 'at' })],
      '"s3://b/p.parquet" is no file',
    ],
    [
      'an unknown reader option',
      [batchSource('x', { table: csv('p.parquet', loose({ delimeter: ';' })), eventTimestamp: 'at' })],
      '"delimeter" is no option of csv; did you mean "delimiter"?',
    ],
    [
      'a reader option of the wrong type',
      [batchSource('x', { table: csv('p.parquet', loose({ header: 'yes' })), eventTimestamp: 'at' })],
      'header is a boolean',
    ],
    [
      'a column type for no column',
      [batchSource('x', { table: csv('p.parquet', { columnTypes: { agge: 'string' } }), eventTimestamp: 'at' })],
      'columnTypes names column "agge", which "p.parquet" does not have; did you mean "age"?',
    ],
    [
      'an unknown option',
      [batchSource('x', loose({ table: parquet('p.parquet'), eventTimestamp: 'at', timeZone: 'UTC' }))],
      'source "x": "timeZone" is no option; did you mean "timezone"?',
    ],
    ['rule 4.2: a name with capitals', [entity('User', { joinKeys: { id: 'int64' } })], 'entity "User" cannot be named so'],
    ['rule 4.2: a name with two underscores', [entity('a__b', { joinKeys: { id: 'int64' } })], 'two underscores in a row'],
    ['rule 4.2: a name of 65 letters', [entity('a'.repeat(65), { joinKeys: { id: 'int64' } })], 'at most 64 characters'],
    [
      'rule 2.1: a key of no key type',
      [entity('x', { joinKeys: { id: loose('int46') } })],
      'join key "id" cannot have type "int46", a join key is int32, int64, string, bool, bytes; did you mean',
    ],
    ['an entity without keys', [entity('x', { joinKeys: {} })], 'entity "x" has no join key'],
    ['an owner that is no text', [entity('x', { joinKeys: { id: 'int64' }, owner: loose(3) })], 'owner is a string'],
    ['tags that are no texts', [entity('x', { joinKeys: { id: 'int64' }, tags: loose({ a: 1 }) })], 'tags are strings by name'],
    ['a view without features', [user, source, featureView('v', { ...base, features: {} })], 'feature view "v" has no features'],
    [
      'rule 4.2: a feature name',
      [user, source, featureView('v', { ...base, features: { 'Age in years': { type: 'int32', column: 'age' } } })],
      'feature "Age in years" cannot be named so',
    ],
    [
      'a type that is none',
      [user, source, featureView('v', { ...base, features: { age: loose({ type: 'integer' }) } })],
      'did you mean "int32"?',
    ],
    [
      'an unknown feature option',
      [user, source, featureView('v', { ...base, features: { age: loose({ type: 'int32', colum: 'age' }) } })],
      '"colum" is no option; did you mean "column"?',
    ],
    [
      'a zone-less timestamp feature',
      [user, source, featureView('v', { ...base, features: { local: { type: 'timestamp' } } })],
      'column "local" is a TIMESTAMP without a zone; say whose time it is with timezone on source "profiles"',
    ],
    [
      'rule 5.3: a fitted mean of an integer',
      [user, source, featureView('v', { ...base, features: { age: loose({ type: 'int32', default: fitted('mean') }) } })],
      'fitted("mean") is for float features, not int32',
    ],
    [
      'an unknown fitted default',
      [user, source, featureView('v', { ...base, features: { score: { type: 'float64', default: fitted(loose('avg')) } } })],
      'fitted("avg") is unknown',
    ],
    [
      'a null default',
      [user, source, featureView('v', { ...base, features: { age: loose({ type: 'int32', default: null }) } })],
      'replaces nothing',
    ],
    [
      'a delay that does not parse',
      [user, source, featureView('v', { ...base, delay: loose('soon'), features })],
      'delay: duration "soon"',
    ],
    [
      'a key column that is missing',
      [user, source, featureView('v', { entities: [user], source, features })],
      'join key "user_id" is read from column "user_id", which "p.parquet" does not have',
    ],
    [
      'a key of another type',
      [user, source, featureView('v', { ...base, keys: { user_id: 'score' }, features })],
      'join key "user_id" is int64, and column "score" is DOUBLE',
    ],
    [
      'a renamed key that is none',
      [user, source, featureView('v', { ...base, keys: loose({ user_id: 'uid', userid: 'uid' }), features })],
      'keys names "userid", which is no join key of its entities; did you mean "user_id"?',
    ],
    [
      'two entities with one key',
      [
        user,
        entity('person', { joinKeys: { user_id: 'int64' } }),
        source,
        featureView('v', { ...base, entities: [user, entity('x', { joinKeys: { user_id: 'int64' } })], features }),
      ],
      'two of its entities have a join key "user_id"',
    ],
    [
      'an entity that is not exported',
      [source, featureView('v', { ...base, features })],
      'entity "user" is exported by no file under features; export it',
    ],
    [
      'a source that is not exported',
      [user, featureView('v', { ...base, features })],
      'source "profiles" is exported by no file',
    ],
    [
      'a view that is not exported',
      [user, source, featureService('s', { features: [view] })],
      'feature view "profile" is exported by no file',
    ],
    [
      'no source at all',
      [user, featureView('v', { entities: [user], source: loose(undefined), features })],
      'source is made by batchSource(…)',
    ],
    [
      'an entity by name',
      [user, source, featureView('v', { ...base, entities: [loose('user')], features })],
      'something that is no entity',
    ],
    ['a service without features', [featureService('s', { features: [] })], 'feature service "s" has no features'],
    ['a feature by name', [featureService('s', { features: [loose('profile:age')] })], 'something that is no feature view'],
    [
      'rule 4.2: a prefix',
      [user, source, view, featureService('s', { features: [view.as('A')] })],
      'prefix "A" cannot be named so',
    ],
    [
      'an unknown key of a selection',
      [user, source, view, featureService('s', { features: [view.withKeys(loose({ userid: 'x' }))] })],
      'withKeys names "userid", which is no join key of feature view "profile"; did you mean "user_id"?',
    ],
    [
      'a feature listed twice',
      [user, source, view, featureService('s', { features: [view, view.select('years')] })],
      'feature "profile:years" is listed twice',
    ],
    [
      'one name for two sets of keys',
      [
        user,
        source,
        view,
        featureService('s', { features: [view.select('score'), view.select('years').withKeys({ user_id: 'friend' })] }),
      ],
      'joined by different keys under one name',
    ],
    [
      'an unknown word of a deprecation',
      [user, source, view, featureService('s', { features: [view], deprecated: loose({ sinse: 'x' }) })],
      '"sinse" is no option; did you mean "since"?',
    ],
  ])('%s', async (_, definitions, message) => {
    expect(await problemsOf(definitions, tables)).toEqual(expect.arrayContaining([expect.stringContaining(message)]));
  });

  it('does not repeat a table that cannot be read for every feature of it', async () => {
    const gone = batchSource('gone', { table: parquet('gone.parquet'), eventTimestamp: 'at' });
    const over = featureView('over', { ...base, source: gone, features: { a: { type: 'int32' }, b: { type: 'int32' } } });
    expect(await problemsOf([user, gone, over], tables)).toHaveLength(1);
  });

  it('lets an error that is no refusal through', async () => {
    const { bindRepository } = await import('../../src/registry/bind.ts');
    const { parseConfig } = await import('../../src/config.ts');
    const repository = {
      root: '/',
      config: parseConfig({ project: 'p' }, '/'),
      definitions: [{ definition: source, file: 'features/a.ts' }],
    };
    await expect(
      bindRepository(
        repository,
        toolsFor(() => Promise.reject(new TypeError('a bug'))),
      ),
    ).rejects.toThrow(TypeError);
  });
});
