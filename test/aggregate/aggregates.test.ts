/** Semantics 6.10: however events are split, ordered, stored and merged, an aggregate gives what its definition says of all of them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AggregateFunction } from '../../src/aggregate/aggregate.ts';
import { type CompiledAggregate, compileAggregate } from '../../src/aggregate/compile-aggregate.ts';
import { type AggregateName, aggregateFunctions } from '../../src/aggregate/functions.ts';
import type { LiteralValue } from '../../src/definitions/literal.ts';
import { parseValueType, type ValueType } from '../../src/definitions/value-type.ts';
import { FeatureStoreError } from '../../src/errors.ts';
import { createSink, takeSink } from '../../src/online/encoding/bytes.ts';
import { compileValueReader, compileValueWriter } from '../../src/online/encoding/value-codec.ts';
import { type NaiveEvent, naiveAggregates } from '../support/naive-aggregate.ts';

/** FEATHERFLIGHT_TEST_RUNS=2000 for a long search. */
const numRuns = Number(process.env.FEATHERFLIGHT_TEST_RUNS ?? 100);

/** Few values of each type, so that they repeat; and some at its ends. */
const valuesByType: Readonly<Record<string, readonly NonNullable<LiteralValue>[]>> = {
  bool: [true, false],
  int32: [0, 1, -1, 2147483647, -2147483648],
  int64: [0n, 5n, -5n, 2n ** 63n - 1n, -(2n ** 63n), 9_007_199_254_740_993n],
  float32: [0, -0, 1.5, -2.25, Number.NaN, Number.POSITIVE_INFINITY],
  float64: [0, -0, 0.1, -0.1, 1e-200, 1e16, 3.7e200, -3.7e200],
  string: ['', 'a', 'é', 'ab', '\u{10000}', '\uffff'],
  bytes: [Uint8Array.of(), Uint8Array.of(255), Uint8Array.of(0, 1)],
  timestamp: [0n, -1n, 1_773_144_000_000_000n],
  date: ['2026-03-10', '1969-12-31', '0001-01-01'],
  'decimal(10,2)': ['0.00', '12.50', '-12.50', '99999999.99'],
  'decimal(38,0)': ['0', `${10n ** 38n - 1n}`, `-${10n ** 38n - 1n}`],
  'list(string)': [[], ['a'], ['a', null], ['a,b'], ['a', 'b']],
  'list(float64)': [[], [0], [-0], [Number.NaN], [1, null]],
  'vector(float32,2)': [
    [0, 1],
    [-0, 1],
    [Number.NaN, 0],
  ],
};

const names = Object.keys(aggregateFunctions) as AggregateName[];

function compiles(name: AggregateName, type: ValueType): boolean {
  return (aggregateFunctions[name] as AggregateFunction).compile(type, 1) !== undefined;
}

const cases = names.flatMap((name) => {
  const { takes }: AggregateFunction = aggregateFunctions[name];
  const types = takes === 'value' ? Object.keys(valuesByType) : ['bool'];
  return types.filter((text) => compiles(name, parseValueType(text))).map((text) => [name, text] as const);
});

const drawTime = fc.oneof(fc.bigInt({ min: -3n, max: 3n }), fc.bigInt({ min: -62_135_596_800_000_000n, max: 10n ** 17n }));

describe.each(cases)('%s of %s', (name, text) => {
  const type = parseValueType(text);
  const { takes }: AggregateFunction = aggregateFunctions[name];
  const drawEvent = fc.record({
    timeUs: drawTime,
    value: fc.option(fc.constantFrom(...(valuesByType[text] as readonly NonNullable<LiteralValue>[])), { freq: 6 }),
    over: fc.boolean(),
    chunk: fc.nat(5),
    at: fc.nat(),
  });

  it('is the same of events in any order, split, stored and merged in any way', () => {
    fc.assert(
      fc.property(
        fc.array(drawEvent, { maxLength: 24 }),
        fc.integer({ min: 1, max: 4 }),
        fc.boolean(),
        (events, size, stores) => {
          const aggregate = compileAggregate(name, type, size);
          const chunks = Array.from({ length: 6 }, () => aggregate.init());
          for (const event of [...events].sort((a, b) => a.at - b.at)) add(aggregate, chunks[event.chunk] as object, event);
          const merged = chunks
            .map((state) => (stores ? restore(aggregate, state) : state))
            .reduce((into, from) => {
              const before = aggregate.save(from);
              aggregate.merge(into, from);
              expect(aggregate.save(from)).toEqual(before);
              return into;
            }, aggregate.init());
          const relevant = takes === 'value' ? events.filter(({ value }) => value !== null) : events;
          expectNaive(aggregate, merged, relevant, size);
        },
      ),
      { numRuns },
    );
  });

  function add(aggregate: CompiledAggregate, state: object, { timeUs, value, over }: NaiveEvent): void {
    aggregate.update(state, timeUs, value, over);
  }

  function expectNaive(aggregate: CompiledAggregate, state: object, events: readonly NaiveEvent[], size: number): void {
    const actual = aggregate.finalize(state);
    const { value, tolerance } = (naiveAggregates[name] as (typeof naiveAggregates)[string])(events, type, size);
    if (typeof value === 'number' && Number.isFinite(value) && tolerance > 0) {
      expect(Math.abs((actual as number) - value)).toBeLessThanOrEqual(tolerance);
    } else expect(withoutSigns(actual)).toEqual(withoutSigns(value));
    expect(hasNegativeZero(actual)).toBe(false);
    // A sum is null for being outside its type alone: of nothing it is 0.
    const isOutside = name === 'sum' && value === null;
    expect(aggregate.isOutOfRange?.(state) ?? false).toBe(isOutside);
    // What it gives can be stored as the type that it says.
    if (actual !== null) compileValueWriter(aggregate.result)(createSink(), actual);
  }
});

describe('the table', () => {
  it('has a definition to compare with for each function', () => {
    expect(Object.keys(naiveAggregates).sort()).toEqual([...names].sort());
  });

  it('refuses types that a function is not made for, by both names', () => {
    for (const name of ['sum', 'mean', 'stddev'] as const) {
      const refused = expect(() => compileAggregate(name, { kind: 'string' }));
      refused.toThrow(FeatureStoreError);
      refused.toThrow(`${name} takes numbers, and not string`);
    }
  });

  const drawFloat = fc.oneof(
    fc.double({ noNaN: true, min: -1e300, max: 1e300 }),
    fc.constantFrom(1e16, -1e16, 0.1, 0.2, 1, 1e-9, 2 ** -1074),
  );

  it.each(['sum', 'mean', 'stddev'] as const)('%s of floats is the same to the last digit in any order', (name) => {
    const aggregate = compileAggregate(name, { kind: 'float64' });
    const compute = (values: readonly number[]) => {
      const state = aggregate.init();
      for (const value of values) aggregate.update(state, 0n, value);
      return aggregate.finalize(state);
    };
    fc.assert(
      fc.property(fc.array(fc.tuple(drawFloat, fc.nat()), { maxLength: 20 }), (drawn) => {
        const values = drawn.map(([value]) => value);
        const shuffled = [...drawn].sort((a, b) => a[1] - b[1]).map(([value]) => value);
        expect(compute(shuffled)).toBe(compute(values));
        if (name === 'sum') expect(compute(values)).toBe(exactSum(values));
      }),
      { numRuns: numRuns * 5 },
    );
  });
});

/** In whole numbers of 2^-1074, rounded by the engine's own reading of a decimal. */
function exactSum(values: readonly number[]): number {
  const units = values.reduce((sum, value) => {
    const bits = new DataView(new ArrayBuffer(8));
    bits.setFloat64(0, value);
    const exponent = (bits.getUint16(0) >> 4) & 2047;
    const fraction = bits.getBigUint64(0) & ((1n << 52n) - 1n);
    const size = exponent === 0 ? fraction : (fraction | (1n << 52n)) << BigInt(exponent - 1);
    return sum + (value < 0 ? -size : size);
  }, 0n);
  // 2^-1074 is 5^1074 / 10^1074.
  return Number(`${units * 5n ** 1074n}e-1074`) + 0;
}

/** Through the bytes in which a store keeps it. */
function restore(aggregate: CompiledAggregate, state: object): object {
  const parts = aggregate.save(state);
  expect(parts.length).toBe(aggregate.stateTypes.length);
  const read = parts.map((part, at) => {
    if (part === null) return null;
    const type = aggregate.stateTypes[at] as ValueType;
    const sink = createSink();
    compileValueWriter(type)(sink, part);
    const buffer = takeSink(sink);
    return compileValueReader(type)({ buffer, at: 0, end: buffer.length });
  });
  return aggregate.load(read);
}

function withoutSigns(value: LiteralValue): LiteralValue {
  if (Array.isArray(value)) return value.map(withoutSigns);
  return typeof value === 'number' ? value + 0 : value;
}

function hasNegativeZero(value: LiteralValue): boolean {
  return Array.isArray(value) ? value.some(hasNegativeZero) : Object.is(value, -0);
}
