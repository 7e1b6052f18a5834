/** Random views, rows and histories of an online store; small domains, so that keys, times and values often meet. */
import fc from 'fast-check';
import type { LiteralValue } from '../../src/definitions/literal.ts';
import { formatValueType, type ValueType } from '../../src/definitions/value-type.ts';
import type { RegistryDocument, ViewDocument } from '../../src/registry/document.ts';
import type { NaiveOnlineRow, NaiveOnlineView } from '../support/naive-online.ts';

export const startUs = 1_773_144_000_000_000n;
const minuteUs = 60_000_000n;

const typed = <V>(type: ValueType, ...values: V[]) => ({ type, values: [null, ...values] as LiteralValue[] });

/** Every value type with values that are hard on a codec or on the order of values. */
export const typedValues: readonly { readonly type: ValueType; readonly values: readonly LiteralValue[] }[] = [
  typed({ kind: 'bool' }, false, true),
  typed({ kind: 'int32' }, -2147483648, -1, 0, 1, 63, 64, 2147483647),
  typed(
    { kind: 'int64' },
    -(2n ** 63n),
    -(2n ** 53n) - 1n,
    -1n,
    0n,
    63n,
    2n ** 31n,
    2n ** 48n,
    2n ** 49n,
    2n ** 53n + 1n,
    2n ** 63n - 1n,
  ),
  typed({ kind: 'float32' }, Number.NaN, Number.NEGATIVE_INFINITY, -0, 0.5, 16777216, Number.POSITIVE_INFINITY),
  typed({ kind: 'float64' }, Number.NaN, Number.NEGATIVE_INFINITY, 0, 5e-324, 0.1, 1.7976931348623157e308),
  typed({ kind: 'string' }, '', 'a', 'ab', 'é', '\u{ffff}', '\u{1f600}', 'x'.repeat(200), 'nul\0inside'),
  typed({ kind: 'bytes' }, Uint8Array.of(), Uint8Array.of(0), Uint8Array.of(0, 255), new Uint8Array(130).fill(7)),
  typed({ kind: 'timestamp' }, -1n, 0n, startUs, -62_135_596_800_000_000n, 253_402_300_799_999_999n),
  typed({ kind: 'date' }, '0001-01-01', '1969-12-31', '1970-01-01', '2024-02-29', '9999-12-31'),
  typed({ kind: 'decimal', precision: 12, scale: 2 }, '-0.05', '0.00', '0.05', '9999999999.99', '-9999999999.99'),
  typed({ kind: 'decimal', precision: 38, scale: 0 }, '0', `-${'9'.repeat(38)}`, '9'.repeat(38), '9007199254740993'),
  typed(
    { kind: 'list', element: { kind: 'int64' } },
    [],
    [null],
    [1n],
    [1n, null],
    [1n, 2n ** 62n],
    Array.from({ length: 9 }, () => null),
  ),
  typed({ kind: 'list', element: { kind: 'list', element: { kind: 'string' } } }, [], [[]], [['a', null], null, ['']]),
  typed({ kind: 'vector', element: 'float32', length: 2 }, [0, 1], [0.5, Number.NaN]),
  typed({ kind: 'vector', element: 'float64', length: 1 }, [0.1], [-0.1]),
];

export interface DrawnRow extends NaiveOnlineRow {
  readonly entity: Readonly<Record<string, LiteralValue>>;
}

export interface DrawnView extends NaiveOnlineView {
  readonly hasCreated: boolean;
}

const entities: Readonly<Record<string, readonly LiteralValue[]>> = {
  user_id: [1n, -5n, 2n ** 60n],
  item: ['', 'b', 'y'.repeat(70)],
};

/** Two views of users, which share their keys in the store, one of users and items, and a global one. */
export const drawViews: fc.Arbitrary<readonly DrawnView[]> = fc.tuple(
  ...[['profile', 'user_id'], ['activity', 'user_id'], ['taste', 'item', 'user_id'], ['world']].map(([name = '', ...keys]) =>
    fc
      .record({
        columns: fc.array(fc.nat(typedValues.length - 1), { minLength: 1, maxLength: 3 }),
        delayUs: fc.constantFrom(0n, 0n, 2n * minuteUs),
        ttlUs: fc.constantFrom(0n, 5n * minuteUs),
        hasCreated: fc.boolean(),
        hasAvailable: fc.boolean(),
        asKnown: fc.boolean(),
      })
      .map(({ columns, ...rest }) => ({
        ...rest,
        name,
        keys,
        asKnown: rest.asKnown && rest.hasCreated,
        features: columns.map((column, at) => ({
          name: `f${at}`,
          type: (typedValues[column] as (typeof typedValues)[number]).type,
          hash: `${name}.${at}.0`,
        })),
      })),
  ),
);

export function drawRow(view: DrawnView): fc.Arbitrary<DrawnRow> {
  const instant = fc.integer({ min: -6, max: 6 }).map((minutes) => startUs + BigInt(minutes) * minuteUs);
  const values = view.features.map(({ name, type }) => {
    const domain = typedValues.find((entry) => formatValueType(entry.type) === formatValueType(type));
    return [name, fc.constantFrom(...(domain?.values ?? []))] as const;
  });
  return fc.record({
    eventUs: instant,
    createdUs: view.hasCreated ? fc.option(instant, { freq: 4 }) : fc.constant(null),
    availableUs: view.hasAvailable ? fc.option(instant, { freq: 6 }) : fc.constant(null),
    values: fc.record(Object.fromEntries(values)),
    entity: drawEntity(view.keys),
  });
}

export function drawEntity(keys: readonly string[]): fc.Arbitrary<Readonly<Record<string, LiteralValue>>> {
  return fc.record(Object.fromEntries(keys.map((key) => [key, fc.constantFrom(...(entities[key] ?? []))])));
}

/** Every entity that drawEntity can give. */
export function allEntities(keys: readonly string[]): Readonly<Record<string, LiteralValue>>[] {
  return keys.reduce<Record<string, LiteralValue>[]>(
    (all, key) => all.flatMap((entity) => (entities[key] ?? []).map((value) => ({ ...entity, [key]: value }))),
    [{}],
  );
}

/** The views as a registry document; the features are listed last column first, so that their order is not the source's. */
export function documentOf(views: readonly DrawnView[]): RegistryDocument {
  const described = { tags: {}, file: 'features/all.ts' };
  const key = { user_id: 'int64', item: 'string' } as const;
  return {
    format: 1,
    project: 'p',
    version: 1,
    appliedAt: '2026-03-10T12:00:00Z',
    services: [],
    entities: [
      { name: 'user', joinKeys: [{ name: 'user_id', type: 'int64' }], ...described },
      { name: 'item', joinKeys: [{ name: 'item', type: 'string' }], ...described },
    ],
    sources: views.map((view) => ({
      name: `${view.name}_rows`,
      kind: 'batch',
      table: { format: 'parquet', paths: ['x.parquet'], hivePartitioning: false, options: {} },
      eventTimestamp: 'at',
      ...(view.hasCreated ? { createdTimestamp: 'written' } : {}),
      ...(view.hasAvailable ? { availableAt: 'landed' } : {}),
      columns: ['at', 'written', 'landed', ...view.keys, ...view.features.map(({ name }) => name)].map((name) => ({
        name,
        type: 'VARCHAR',
      })),
      ...described,
    })),
    views: views.map(
      (view): ViewDocument => ({
        name: view.name,
        kind: 'batch',
        entities: view.keys.map((name) => (name === 'user_id' ? 'user' : 'item')),
        source: `${view.name}_rows`,
        keys: view.keys.map((name) => ({ name, type: key[name as keyof typeof key], column: name })),
        ...(view.ttlUs > 0n ? { ttl: `${view.ttlUs / 1_000_000n}s` } : {}),
        ...(view.delayUs > 0n ? { delay: `${view.delayUs / 1_000_000n}s` } : {}),
        asKnown: view.asKnown,
        features: view.features
          .map(({ name, type, hash }) => ({ name, type: formatValueType(type), column: name, hash }))
          .toReversed(),
        ...described,
      }),
    ),
  };
}
