/** Instants as pairs of words against bigint arithmetic. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  concatInstants,
  daysOf,
  floorDivideWords,
  instantAt,
  joinWords,
  multiplyWords,
  repeatInstant,
  splitUs,
  takeInstants,
} from '../../src/offline/instants.ts';
import { floorNaively } from '../support/naive-instant.ts';

const max = 2n ** 63n - 1n;
const int64 = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max }),
  fc.bigInt({ min: -5n * 10n ** 15n, max: 5n * 10n ** 15n }),
  fc.constantFrom(0n, -1n, 1n, 2n ** 32n, -(2n ** 32n), 2n ** 32n - 1n, max, -(2n ** 63n), -1000n, -999n, -1001n),
);

describe('words of 64-bit counts', () => {
  test('split and joined again are the same', () => {
    fc.assert(
      fc.property(int64, (value) => {
        const { low, high } = splitUs(value);
        expect(low).toBeGreaterThanOrEqual(0);
        expect(joinWords(low, high)).toBe(value);
        expect(instantAt(repeatInstant(value, 3), 2)).toBe(value);
      }),
    );
  });

  test('1.1: nanoseconds are floored toward minus infinity', () => {
    fc.assert(
      fc.property(fc.array(int64), (values) => {
        expect(valuesOf(floorDivideWords(wordsOf(values), 1000))).toEqual(
          values.map((value) => floorNaively(value, 1000n) / 1000n),
        );
      }),
    );
  });

  test('1.1: seconds and milliseconds widen exactly, and what leaves 64 bits is named', () => {
    fc.assert(
      fc.property(fc.array(int64), fc.constantFrom(1000, 1_000_000), (values, factor) => {
        const outside: number[] = [];
        const products = valuesOf(multiplyWords(wordsOf(values), factor, (row) => outside.push(row)));
        const exact = values.map((value) => value * BigInt(factor));
        const leaves = (value: bigint) => value > max || value < -max - 1n;
        expect(outside).toEqual(exact.flatMap((value, row) => (leaves(value) ? [row] : [])));
        for (const [row, value] of exact.entries()) if (!leaves(value)) expect(products[row]).toBe(value);
      }),
    );
  });

  test('1.4: a day is floored, before 1970 too, shifted by a delay or not', () => {
    const us = fc.bigInt({ min: -(10n ** 17n), max: 10n ** 17n });
    const delay = fc.oneof(fc.constant(0n), fc.bigInt({ min: 0n, max: 10n ** 14n }));
    fc.assert(
      fc.property(fc.array(us), delay, (values, shift) => {
        const days = values.map((value) => Number(floorNaively(value + shift, 86_400_000_000n) / 86_400_000_000n));
        expect([...daysOf(wordsOf(values), shift)]).toEqual(days);
      }),
    );
  });

  test('some rows, and parts one after another, keep values and nulls', () => {
    const nullable = fc.array(fc.option(int64, { nil: null }));
    fc.assert(
      fc.property(fc.array(nullable, { minLength: 1 }), fc.array(fc.nat()), (parts, picks) => {
        const all = parts.flat();
        const joined = concatInstants(parts.map(instantsOf));
        expect(plainOf(joined)).toEqual(all);
        const rows = all.length === 0 ? [] : picks.map((pick) => pick % all.length);
        expect(plainOf(takeInstants(joined, Int32Array.from(rows)))).toEqual(rows.map((row) => all[row]));
      }),
    );
  });
});

function wordsOf(values: readonly bigint[]): Int32Array {
  return new Int32Array(BigInt64Array.from(values).buffer);
}

function valuesOf(words: Int32Array): bigint[] {
  return [...new BigInt64Array(words.buffer)];
}

function instantsOf(values: readonly (bigint | null)[]) {
  const nulls = values.includes(null) ? Uint8Array.from(values, (value) => (value === null ? 1 : 0)) : undefined;
  return { length: values.length, words: wordsOf(values.map((value) => value ?? 7n)), nulls };
}

function plainOf(instants: ReturnType<typeof instantsOf> | ReturnType<typeof takeInstants>): (bigint | null)[] {
  return Array.from({ length: instants.length }, (_, row) => (instants.nulls?.[row] === 1 ? null : instantAt(instants, row)));
}
