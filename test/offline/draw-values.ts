/** Values of every type for random scenarios: few of each, so that they meet, and the awkward ones among them. */
import fc, { type GeneratorValue } from 'fast-check';
import type { ValueType } from '../../src/definitions/value-type.ts';
import { floorNaively } from '../support/naive-instant.ts';
import type { NaiveType } from '../support/naive-join.ts';

/** Draws that shrink toward the first, the least, the absent. */
export interface Draw {
  int(min: number, max: number): number;
  pick<T>(from: readonly T[]): T;
  /** True in about so many of a hundred. */
  chance(percent: number): boolean;
  /** Microseconds close to the scenario's anchor. */
  time(): bigint;
}

const anchors = [
  '2026-03-10T12:00:00Z',
  '1970-01-01T00:00:00Z',
  '2013-03-10T02:30:00Z',
  '2013-11-03T01:30:00Z',
  '1969-07-20T20:17:40Z',
  '1906-04-18T05:12:00Z',
  '2038-01-19T03:14:07Z',
];
const second = 1_000_000n;
const hour = 3_600n * second;
const deltas = [
  0n,
  -hour,
  hour,
  -24n * hour,
  -1n,
  1n,
  -2n * hour,
  -3n * hour,
  -12n * hour,
  12n * hour,
  -24n * hour - 1n,
  24n * hour,
];
const moreDeltas = [0n, 0n, 0n, second, -second, 1n, -1n, -72n * hour, 5n * hour, -5n * hour, 1_800n * second];

export function drawFrom(g: GeneratorValue): Draw {
  const int = (min: number, max: number) => g(fc.integer, { min, max });
  const pick = <T>(from: readonly T[]) => from[int(0, from.length - 1)] as T;
  const anchor = BigInt(Date.parse(pick(anchors))) * 1000n;
  const time = () => anchor + pick(deltas) + pick(moreDeltas);
  return { int, pick, chance: (percent) => int(0, 99) >= 100 - percent, time };
}

export interface ColumnKind {
  readonly duckType: string;
  readonly type: NaiveType;
  /** Types that a feature over the column may have. */
  readonly features: readonly ValueType[];
  draw(draw: Draw): unknown;
  /** Whether CSV and JSON keep every value. */
  readonly text: boolean;
}

export const texts = [
  '',
  'a',
  'a ',
  ' a',
  'A',
  'é',
  'e\u0301',
  '1',
  '01',
  'ab',
  '\uffff',
  '\u{10000}',
  'x'.repeat(40),
  'y\u0000z',
  'it\'s "so"',
];
const plainTexts = ['a', 'A', 'é', 'e\u0301', 'b1', 'a,b', 'q"q', 'x'.repeat(40)];
export const integers = [
  1n,
  2n,
  0n,
  -1n,
  127n,
  2n ** 31n - 1n,
  -(2n ** 31n),
  2n ** 53n,
  2n ** 53n + 1n,
  2n ** 63n - 1n,
  -(2n ** 63n),
];
export const blobs = [
  new Uint8Array([]),
  new Uint8Array([0]),
  new Uint8Array([0, 0]),
  new Uint8Array([255, 1]),
  Buffer.alloc(20, 7),
].map((bytes) => new Uint8Array(bytes));
const doubles = [0, 1.5, -2.25, 0.1, Number.NaN, -0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 123456.75];
const finite = [0, 1.5, -2.25, 0.1, 123456.75];
const decimals = ['0.00', '1.50', '-1.50', '-0.05', '1234567890.12', '9999999999.99'];
const uuids = [
  '00000000-0000-0000-0000-000000000000',
  '8f3b1c1e-2f4a-4c57-9a51-0123456789ab',
  'ffffffff-ffff-ffff-ffff-ffffffffffff',
];
const whole = (bits: number) => integers.filter((value) => BigInt.asIntN(bits, value) === value).map(Number);

const kind = (name: 'bool' | 'int32' | 'int64' | 'float32' | 'float64' | 'string' | 'bytes' | 'timestamp' | 'date') =>
  ({ kind: name }) as const;
const decimal = (precision: number, scale: number) => ({ kind: 'decimal', precision, scale }) as const;
const list = <T extends NaiveType>(element: T) => ({ kind: 'list', element }) as const;
const vector = (element: 'float32' | 'float64', length: number) => ({ kind: 'vector', element, length }) as const;

function of(
  duckType: string,
  type: NaiveType,
  features: readonly ValueType[],
  pool: readonly unknown[],
  text = false,
): ColumnKind {
  return { duckType, type, features, draw: (draw) => draw.pick(pool), text };
}

function lists(duckType: string, element: NaiveType, features: readonly ValueType[], pool: readonly unknown[]): ColumnKind {
  const draw = (from: Draw) => Array.from({ length: from.int(0, 3) }, () => (from.chance(20) ? null : from.pick(pool)));
  return { duckType, type: list(element), features, draw, text: false };
}

function vectors(duckType: string, element: 'float32' | 'float64', length: number, features: readonly ValueType[]): ColumnKind {
  const pool = doubles.map((value) => (element === 'float32' ? Math.fround(value) : value));
  const draw = (from: Draw) => Array.from({ length }, () => from.pick(pool));
  return { duckType, type: vector(element, length), features, draw, text: false };
}

/** Columns of values. */
export const valueKinds: readonly ColumnKind[] = [
  of('INTEGER', kind('int32'), [kind('int32'), kind('int64'), kind('float64'), decimal(12, 2)], whole(32), true),
  of('BIGINT', kind('int64'), [kind('int64'), decimal(25, 3)], integers, true),
  of('DOUBLE', kind('float64'), [kind('float64')], doubles),
  of('DOUBLE', kind('float64'), [kind('float64')], finite, true),
  of('VARCHAR', kind('string'), [kind('string')], texts),
  of('VARCHAR', kind('string'), [kind('string')], plainTexts, true),
  of('BOOLEAN', kind('bool'), [kind('bool')], [false, true], true),
  of('FLOAT', kind('float32'), [kind('float32'), kind('float64')], doubles.map(Math.fround)),
  of('TINYINT', kind('int32'), [kind('int32'), kind('float32')], whole(8)),
  of('UTINYINT', kind('int32'), [kind('int64')], [0, 1, 255]),
  of('USMALLINT', kind('int32'), [kind('int32')], [0, 65_535]),
  of('UINTEGER', kind('int64'), [kind('int64')], [0n, 2n ** 32n - 1n]),
  of('UBIGINT', kind('int64'), [decimal(20, 0)], [0n, 1n, 2n ** 64n - 1n]),
  of('BLOB', kind('bytes'), [kind('bytes')], blobs),
  of('UUID', kind('string'), [kind('string')], uuids),
  of('DECIMAL(12,2)', decimal(12, 2), [decimal(12, 2), decimal(38, 4)], decimals, true),
  of('DECIMAL(4,1)', decimal(4, 1), [decimal(4, 1), decimal(9, 3)], ['0.0', '-0.1', '999.9']),
  of('DECIMAL(38,0)', decimal(38, 0), [decimal(38, 0)], ['0', '-1', '9'.repeat(38)]),
  of('DECIMAL(18,0)', decimal(18, 0), [kind('int64'), decimal(20, 2)], ['0', '-1', '9'.repeat(18)]),
  of('DATE', kind('date'), [kind('date')], [0, -1, 20_522, -25_000], true),
  lists('BIGINT[]', kind('int64'), [list(kind('int64'))], integers),
  lists('INTEGER[]', kind('int32'), [list(kind('int32')), list(kind('int64'))], whole(32)),
  lists('VARCHAR[]', kind('string'), [list(kind('string'))], texts),
  lists('DOUBLE[]', kind('float64'), [list(kind('float64'))], doubles),
  lists('BOOLEAN[]', kind('bool'), [list(kind('bool'))], [true, false]),
  lists('BLOB[]', kind('bytes'), [list(kind('bytes'))], blobs),
  lists('DATE[]', kind('date'), [list(kind('date'))], [0, -1, 20_522]),
  lists('DECIMAL(12,2)[]', decimal(12, 2), [list(decimal(12, 2))], decimals),
  lists('BIGINT[][]', list(kind('int64')), [list(list(kind('int64')))], [[], [1n], [1n, null], [null], [2n]]),
  lists(
    'TIMESTAMP WITH TIME ZONE[]',
    { kind: 'time', unit: 'us', zoned: true },
    [list(kind('timestamp'))],
    [0n, -1n, 1_773_144_000_000_001n],
  ),
  vectors('FLOAT[]', 'float32', 3, [vector('float32', 3), vector('float64', 3), list(kind('float32'))]),
  vectors('DOUBLE[2]', 'float64', 2, [vector('float64', 2)]),
];

function time(duckType: string, type: NaiveType & { readonly kind: 'time' | 'date' }, text = false): ColumnKind {
  const draw = (from: Draw) => {
    const us = from.time();
    if (type.kind === 'date') return Number(floorNaively(us, 24n * hour) / (24n * hour));
    return countOf(us, type.unit) + (type.unit === 'ns' ? BigInt(from.pick([0, 1, 999])) : 0n);
  };
  return { duckType, type, features: [kind('timestamp')], draw, text };
}

/** A count of units since the epoch, floored. */
export function countOf(us: bigint, unit: 's' | 'ms' | 'us' | 'ns'): bigint {
  if (unit === 'ns') return us * 1000n;
  const step = { s: second, ms: 1000n, us: 1n }[unit];
  return floorNaively(us, step) / step;
}

/** Columns of instants. */
export const instantKinds: readonly ColumnKind[] = [
  time('TIMESTAMP WITH TIME ZONE', { kind: 'time', unit: 'us', zoned: true }, true),
];

/** Columns of local times, which need the source's zone. */
export const localKinds: readonly ColumnKind[] = [
  time('TIMESTAMP', { kind: 'time', unit: 'us', zoned: false }, true),
  time('TIMESTAMP_NS', { kind: 'time', unit: 'ns', zoned: false }),
  time('TIMESTAMP_MS', { kind: 'time', unit: 'ms', zoned: false }),
  time('TIMESTAMP_S', { kind: 'time', unit: 's', zoned: false }),
  time('DATE', { kind: 'date' }),
];

/** Columns of lists of local times. */
export const localListKinds: readonly ColumnKind[] = [
  listOf('TIMESTAMP[]', localKinds[0] as ColumnKind),
  listOf('TIMESTAMP_NS[]', localKinds[1] as ColumnKind),
  listOf('DATE[]', localKinds[4] as ColumnKind),
  listOf('TIMESTAMP[][]', listOf('TIMESTAMP[]', localKinds[0] as ColumnKind)),
];

function listOf(duckType: string, element: ColumnKind): ColumnKind {
  const draw = (from: Draw) => Array.from({ length: from.int(0, 2) }, () => (from.chance(20) ? null : element.draw(from)));
  return { duckType, type: list(element.type), features: element.features.map(list), draw, text: false };
}

/** A value of a feature's type, as a literal default. */
export function drawLiteral(draw: Draw, type: ValueType): unknown {
  switch (type.kind) {
    case 'bool':
      return draw.chance(50);
    case 'int32':
      return draw.pick(whole(32));
    case 'int64':
      return draw.pick(integers);
    case 'float32':
      return Math.fround(draw.pick(doubles));
    case 'float64':
      return draw.pick(doubles);
    case 'string':
      return draw.pick(texts);
    case 'bytes':
      return draw.pick(blobs);
    case 'timestamp':
      return draw.time();
    case 'date':
      return draw.pick([0, -1, 20_522]);
    case 'decimal':
      return type.scale === 0
        ? draw.pick(['0', '-7'])
        : draw.pick([`0.${'0'.repeat(type.scale)}`, `-7.${'5'.repeat(type.scale)}`]);
    case 'list':
      return Array.from({ length: draw.int(0, 2) }, () => (draw.chance(20) ? null : drawLiteral(draw, type.element)));
    case 'vector':
      return Array.from({ length: type.length }, () => drawLiteral(draw, { kind: type.element }));
  }
}
