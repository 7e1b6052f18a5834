/** Arbitrary fields of every type, with values as readValue gives them. */
import fc from 'fast-check';
import { columnFromValues } from '../../src/arrow/build.ts';
import type { Column } from '../../src/arrow/column.ts';
import { type ArrowType, type Field, field } from '../../src/arrow/schema.ts';

export interface Drawn {
  readonly field: Field;
  readonly value: fc.Arbitrary<unknown>;
}

/** Types that takeColumn picks rows of. */
export const takeable = (depth: number) => drawnField(depth, false);

/** Types of all kinds, unions and run-end encoding included. */
export const anyType = (depth: number) => drawnField(depth, true);

/** A column of any length up to `maxLength`, possibly a slice of a longer one. */
export function columnOf(drawn: Drawn, maxLength = 40): fc.Arbitrary<Column> {
  return valuesOf(drawn, maxLength).map((values) => columnFromValues(drawn.field, values));
}

export function valuesOf(drawn: Drawn, maxLength = 40): fc.Arbitrary<unknown[]> {
  return fc.array(drawn.value, { maxLength });
}

const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 6 }), fc.string({ maxLength: 30 }));
const bytes = fc.uint8Array({ maxLength: 30 });
const int = (bits: number, signed: boolean) =>
  bits === 64
    ? fc.bigInt(signed ? { min: -(2n ** 63n), max: 2n ** 63n - 1n } : { min: 0n, max: 2n ** 64n - 1n })
    : fc.integer(signed ? { min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 } : { min: 0, max: 2 ** bits - 1 });

function simple(): [ArrowType, fc.Arbitrary<unknown>][] {
  const cases: [ArrowType, fc.Arbitrary<unknown>][] = [
    [{ id: 'null' }, fc.constant(null)],
    [{ id: 'bool' }, fc.boolean()],
    [{ id: 'float', bits: 16 }, fc.constantFrom(0, -0, 1.5, -65504, 2 ** -24, Number.NaN, Number.POSITIVE_INFINITY)],
    [{ id: 'float', bits: 32 }, fc.float()],
    [{ id: 'float', bits: 64 }, fc.double()],
    [{ id: 'utf8' }, text],
    [{ id: 'largeUtf8' }, text],
    [{ id: 'utf8View' }, text],
    [{ id: 'binary' }, bytes],
    [{ id: 'largeBinary' }, bytes],
    [{ id: 'binaryView' }, bytes],
    [{ id: 'fixedSizeBinary', width: 3 }, fc.uint8Array({ minLength: 3, maxLength: 3 })],
    [{ id: 'fixedSizeBinary', width: 16 }, fc.uint8Array({ minLength: 16, maxLength: 16 })],
    [{ id: 'date', unit: 'day' }, int(32, true)],
    [{ id: 'date', unit: 'ms' }, int(64, true)],
    [{ id: 'interval', unit: 'yearMonth' }, fc.record({ months: int(32, true) })],
    [{ id: 'interval', unit: 'dayTime' }, fc.record({ days: int(32, true), milliseconds: int(32, true) })],
    [
      { id: 'interval', unit: 'monthDayNano' },
      fc.record({ months: int(32, true), days: int(32, true), nanoseconds: int(64, true) }),
    ],
  ];
  for (const bits of [8, 16, 32, 64] as const) {
    for (const signed of [true, false]) cases.push([{ id: 'int', bits, signed }, int(bits, signed)]);
  }
  for (const unit of ['s', 'ms', 'us', 'ns'] as const) {
    const bits = unit === 's' || unit === 'ms' ? 32 : 64;
    cases.push([{ id: 'time', unit, bits }, int(bits, true)]);
    cases.push([{ id: 'timestamp', unit, timezone: 'Europe/Vienna' }, int(64, true)], [{ id: 'timestamp', unit }, int(64, true)]);
    cases.push([{ id: 'duration', unit }, int(64, true)]);
  }
  for (const [bits, precision] of [
    [32, 9],
    [64, 18],
    [128, 38],
    [256, 76],
  ] as const) {
    const limit = 10n ** BigInt(precision) - 1n;
    const unscaled = fc.bigInt({ min: -limit, max: limit });
    cases.push([{ id: 'decimal', bits, precision, scale: 0 }, unscaled.map(String)]);
  }
  return cases;
}

function drawnField(depth: number, rare: boolean): fc.Arbitrary<Drawn> {
  const name = fc.constantFrom('a', 'b', 'naïve name');
  const plain = fc.tuple(name, fc.constantFrom(...simple())).map(([n, [type, value]]) => drawn(field(n, type), value));
  if (depth === 0) return plain;
  const inner = drawnField(depth - 1, rare);
  const list = (type: ArrowType) =>
    inner.map((item) => drawn(field('l', type, [item.field]), fc.array(item.value, { maxLength: 4 })));
  const composites = [
    list({ id: 'list' }),
    list({ id: 'largeList' }),
    list({ id: 'listView' }),
    list({ id: 'largeListView' }),
    inner.map((item) =>
      drawn(field('f', { id: 'fixedSizeList', size: 2 }, [item.field]), fc.array(item.value, { minLength: 2, maxLength: 2 })),
    ),
    fc.tuple(inner, inner).map(([x, y]) => drawnStruct(x, y)),
    fc.tuple(inner, inner).map(([k, v]) => {
      const entries = field('entries', { id: 'struct' }, [rename(k, 'key'), rename(v, 'value')]);
      return drawn(
        field('m', { id: 'map', keysSorted: false }, [entries]),
        fc.array(fc.tuple(k.value, v.value), { maxLength: 3 }),
      );
    }),
    inner.map((item) => ({
      field: { ...item.field, dictionary: { id: 7n, indexBits: 16, indexSigned: false, ordered: true } } as Field,
      value: fc.option(fc.nat(1000)),
    })),
  ];
  if (rare)
    composites.push(
      ...(['sparse', 'dense'] as const).map((mode) => fc.tuple(inner, inner).map(([x, y]) => drawnUnion(mode, x, y))),
    );
  if (rare) composites.push(inner.map(drawnRuns));
  return fc.oneof({ weight: 2, arbitrary: plain }, ...composites.map((arbitrary) => ({ weight: 1, arbitrary })));
}

function drawn(of: Field, value: fc.Arbitrary<unknown>): Drawn {
  return { field: of, value: fc.option(value) };
}

function rename(item: Drawn, name: string): Field {
  return { ...item.field, name };
}

function drawnStruct(x: Drawn, y: Drawn): Drawn {
  return drawn(field('s', { id: 'struct' }, [rename(x, 'x'), rename(y, 'y')]), fc.record({ x: x.value, y: y.value }));
}

function drawnUnion(mode: 'sparse' | 'dense', x: Drawn, y: Drawn): Drawn {
  const value = fc.oneof(
    x.value.map((v) => ({ typeId: 5, value: v })),
    y.value.map((v) => ({ typeId: 9, value: v })),
  );
  return { field: field('u', { id: 'union', mode, typeIds: [5, 9] }, [rename(x, 'x'), rename(y, 'y')]), value };
}

function drawnRuns(item: Drawn): Drawn {
  const ends = field('run_ends', { id: 'int', bits: 32, signed: true });
  return {
    field: field('r', { id: 'runEndEncoded' }, [{ ...ends, nullable: false }, rename(item, 'values')]),
    value: item.value,
  };
}
