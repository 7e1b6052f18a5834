/** Plans: names that exist, columns that are there, and output columns that never meet (rules 2.4, 4.1 and 4.2). */
import { describe, expect, test } from 'vitest';
import { type ArrowType, field, type Schema } from '../../src/arrow/schema.ts';
import { FeatureStoreError } from '../../src/errors.ts';
import { answerFields } from '../../src/offline/answer/answer.ts';
import { planRetrieval } from '../../src/offline/plan.ts';
import { parseHistoricalRequest } from '../../src/offline/request.ts';
import type { RegistryDocument, ServiceFeatures, SourceDocument, ViewDocument } from '../../src/registry/document.ts';

const described = { tags: {}, file: 'features/airports.ts' };
const int64: ArrowType = { id: 'int', bits: 64, signed: true };
const instant: ArrowType = { id: 'timestamp', unit: 'us', timezone: 'UTC' };

const source: SourceDocument = {
  ...described,
  name: 'airports',
  kind: 'batch',
  table: { format: 'parquet', paths: ['airports.parquet'], hivePartitioning: false, options: {} },
  eventTimestamp: 'at',
  columns: [],
};

function view(name: string, features: readonly string[], keys: readonly string[] = ['faa']): ViewDocument {
  return {
    ...described,
    name,
    kind: 'batch',
    entities: ['airport'],
    source: 'airports',
    keys: keys.map((key) => ({ name: key, type: 'int64', column: key })),
    ttl: '30d',
    delay: '3h',
    asKnown: true,
    features: features.map((feature) => ({ name: feature, type: 'int64', column: feature, hash: feature })),
  };
}

function registry(services: Readonly<Record<string, readonly ServiceFeatures[]>> = {}): RegistryDocument {
  return {
    format: 1,
    project: 'test',
    version: 1,
    appliedAt: '2026-03-10T12:00:00Z',
    entities: [],
    sources: [source, { ...source, name: 'recorded', createdTimestamp: 'created' }],
    views: [
      view('airports', ['lat', 'lon']),
      view('weather', ['lat', 'wind'], ['faa', 'hour']),
      view('global', ['oil'], []),
      { ...view('known', ['k']), source: 'recorded' },
    ],
    services: Object.entries(services).map(([name, features]) => ({ ...described, name, features })),
  };
}

function frame(...names: string[]): Schema {
  const fields = names.map((name) => field(name, name === 'event_timestamp' ? instant : int64));
  return { fields, metadata: new Map() };
}

function plan(request: object, schema: Schema, document = registry()) {
  return planRetrieval(document, parseHistoricalRequest({ type: 'get_historical_features', ...request }), schema, 42n);
}

function namesOf(request: object, schema: Schema, document = registry()): string[] {
  return answerFields(plan(request, schema, document)).map(({ name }) => name);
}

function refusalOf(request: object, schema: Schema, document = registry()): FeatureStoreError {
  try {
    plan(request, schema, document);
  } catch (error) {
    if (error instanceof FeatureStoreError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

const plain = frame('faa', 'hour', 'event_timestamp');

describe('4.2: names of output columns', () => {
  test('are features in the order asked for, also of several views in turn', () => {
    expect(namesOf({ features: ['airports:lon', 'weather:wind', 'airports:lat'] }, plain)).toEqual(['lon', 'wind', 'lat']);
  });

  test('are view__feature on request, prefix__feature under a prefix', () => {
    expect(namesOf({ features: ['airports:lat', 'weather@w:lat'], full_feature_names: true }, plain)).toEqual([
      'airports__lat',
      'w__lat',
    ]);
    expect(namesOf({ features: ['airports:lat', 'weather@w:lat'] }, plain)).toEqual(['lat', 'w__lat']);
  });

  test('4.4: are followed by status, event timestamp and is_default', () => {
    expect(namesOf({ features: ['airports:lat'], statuses: true }, plain)).toEqual([
      'lat',
      'lat__status',
      'lat__event_timestamp',
      'lat__is_default',
    ]);
  });

  test.each([
    ['two views', ['airports:lat', 'weather:lat'], plain, ['airports', 'weather', 'lat']],
    ['a feature twice', ['airports:lat', 'airports:lat'], plain, ['lat']],
    ['a column of the frame', ['airports:lat'], frame('faa', 'lat', 'event_timestamp'), ['lat', 'airports']],
    ['the key', ['airports@a:lat'], frame('faa', 'a__lat', 'event_timestamp'), ['a__lat']],
  ] as const)('that meet are an error that names both: %s', (_, features, schema, names) => {
    const error = refusalOf({ features }, schema);
    expect(error.code).toBe('INVALID_ARGUMENT');
    for (const name of names) expect(error.message).toContain(name);
  });

  test('a column of the frame that meets a status column is an error only with statuses', () => {
    const schema = frame('faa', 'event_timestamp', 'lat__status');
    expect(refusalOf({ features: ['airports:lat'], statuses: true }, schema).message).toContain('lat__status');
    expect(namesOf({ features: ['airports:lat'] }, schema)).toEqual(['lat']);
  });

  test('one prefix for two views is an error that names both', () => {
    const error = refusalOf({ features: ['airports@x:lat', 'weather@x:wind'] }, plain);
    expect(error.message).toMatch(/airports.*weather/);
  });

  test('a prefix that is the name of another view of the request is an error', () => {
    expect(refusalOf({ features: ['airports:lat', 'weather@airports:wind'], full_feature_names: true }, plain).code).toBe(
      'INVALID_ARGUMENT',
    );
  });

  test.each(['Upper', 'two__parts', '1st', 'a-b', 'x'.repeat(65)])('a prefix is a name: not %s', (prefix) => {
    expect(refusalOf({ features: [`airports@${prefix}:lat`] }, plain).code).toBe('INVALID_ARGUMENT');
  });
});

describe('2.4: keys', () => {
  test('one view twice under two prefixes has two mappings', () => {
    const { lookups } = plan(
      { features: ['airports@o:lat', 'airports@d:lat'], keys: { o: { faa: 'origin' }, d: { faa: 'dest' } } },
      frame('origin', 'dest', 'event_timestamp'),
    );
    expect(lookups.map(({ label, keys }) => [label, keys.map(({ column, index }) => [column, index])])).toEqual([
      ['o', [['origin', 0]]],
      ['d', [['dest', 1]]],
    ]);
  });

  test('a service brings its own mapping, which the request may replace', () => {
    const document = registry({ ranker: [{ view: 'airports', prefix: 'o', keys: { faa: 'origin' }, features: ['lat'] }] });
    expect(plan({ service: 'ranker' }, frame('origin', 'event_timestamp'), document).lookups[0]?.keys[0]?.column).toBe('origin');
    const replaced = plan({ service: 'ranker', keys: { o: { faa: 'dest' } } }, frame('dest', 'event_timestamp'), document);
    expect(replaced.lookups[0]?.keys[0]?.column).toBe('dest');
  });

  test.each([
    ['a missing key column', { features: ['airports:lat'] }, frame('fa', 'event_timestamp'), /"faa".*did you mean "fa"/],
    [
      'a mapping of a join key that the view does not have',
      { features: ['airports:lat'], keys: { airports: { iata: 'faa' } } },
      plain,
      /iata/,
    ],
    [
      'a mapping for a view that is not asked for',
      { features: ['airports:lat'], keys: { weather: { faa: 'faa' } } },
      plain,
      /weather/,
    ],
    ['a mapping to a missing column', { features: ['airports:lat'], keys: { airports: { faa: 'origin' } } }, plain, /origin/],
    ['a key column that is there twice', { features: ['airports:lat'] }, frame('faa', 'faa', 'event_timestamp'), /faa/],
  ] as const)('%s is refused by name', (_, request, schema, message) => {
    expect(refusalOf(request, schema).message).toMatch(message);
  });

  test('2.1: a view without entities needs none', () => {
    expect(plan({ features: ['global:oil'] }, frame('event_timestamp')).lookups[0]?.keys).toEqual([]);
  });
});

describe('names that do not exist', () => {
  test.each([
    [{ features: ['airport:lat'] }, /airport.*did you mean "airports"/],
    [{ features: ['airports:lot'] }, /lot.*did you mean/],
    [{ service: 'rankr' }, /rankr.*did you mean "ranker"/],
  ])('%j is NOT_FOUND with the nearest', (request, message) => {
    const document = registry({ ranker: [{ view: 'airports', features: ['lat'] }] });
    expect(refusalOf(request, plain, document)).toMatchObject({ code: 'NOT_FOUND', message: expect.stringMatching(message) });
  });

  test.each([
    [{}],
    [{ features: [], service: null }],
    [{ features: ['airports:lat'], service: 'ranker' }],
    [{ features: ['airports:lat'], statusses: true }],
    [{ features: 'airports:lat' }],
    [{ features: ['airports:lat'], batch_rows: 0 }],
  ])('the request %j is refused', (request) => {
    expect(refusalOf(request, plain).code).toBe('INVALID_ARGUMENT');
  });
});

describe('time', () => {
  test('comes from a column of any name, or from at', () => {
    expect(plan({ features: ['global:oil'], timestamp: 'hour' }, plain).time).toMatchObject({
      kind: 'column',
      name: 'hour',
      index: 1,
    });
    expect(plan({ features: ['global:oil'], at: '2026-03-10T12:00:00.000001Z' }, frame('x')).time).toMatchObject({
      kind: 'at',
      us: 1_773_144_000_000_001n,
    });
    expect(plan({ features: ['global:oil'], at: 'now' }, frame('x')).time).toMatchObject({ kind: 'at', us: 42n });
  });

  test.each([
    [{ features: ['global:oil'] }, frame('timestamp'), /event_timestamp/],
    [{ features: ['global:oil'], timestamp: 'whn' }, frame('when'), /whn.*did you mean "when"/],
    [{ features: ['global:oil'], at: '2026-03-10' }, frame('x'), /2026-03-10/],
    [{ features: ['global:oil'], at: '2026-03-10T12:00:00' }, frame('x'), /2026-03-10T12:00:00/],
    [{ features: ['global:oil'], timezone: 'Europe/Pariss' }, frame('event_timestamp'), /Europe\/Pariss/],
  ] as const)('%j is refused with the fix', (request, schema, message) => {
    expect(refusalOf(request, schema)).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(message) });
  });
});

describe('section 3: as-known-at', () => {
  test.each([
    [null, true],
    [true, true],
    [false, false],
  ])('as_known %s of the request gives %s where the view says so', (asKnown, expected) => {
    expect(plan({ features: ['known:k'], as_known: asKnown }, plain).lookups[0]?.asKnown).toBe(expected);
  });

  test('has no effect on a source without a created timestamp', () => {
    expect(plan({ features: ['airports:lat'], as_known: true }, plain).lookups[0]?.asKnown).toBe(false);
  });

  test('durations are microseconds', () => {
    expect(plan({ features: ['airports:lat'] }, plain).lookups[0]).toMatchObject({
      delayUs: 10_800_000_000n,
      ttlUs: 2_592_000_000_000n,
    });
  });
});
