/** Whether two values of a feature agree, and how far they are apart where they are numbers. */
import { parseUnscaled } from '../../definitions/decimal.ts';
import type { LiteralValue } from '../../definitions/literal.ts';
import { compareValues } from '../../definitions/value-order.ts';
import type { ValueType } from '../../definitions/value-type.ts';
import type { Tolerance } from './tolerance.ts';

export interface Comparison {
  readonly isExact: boolean;
  readonly isWithin: boolean;
  /** The absolute difference of two numbers; infinite where only one is finite, undefined where one is null or no number. */
  readonly difference: number | undefined;
}

/** `scale` is what a relative tolerance is of; without it the greater magnitude of both values. */
export type Compare = (a: LiteralValue, b: LiteralValue, scale?: number) => Comparison;

const same: Comparison = Object.freeze({ isExact: true, isWithin: true, difference: undefined });
const other: Comparison = Object.freeze({ isExact: false, isWithin: false, difference: undefined });

/** Comparison of values of a type; what is no number is the same or is not. */
export function compileComparison(type: ValueType, { relative, absolute }: Tolerance): Compare {
  const numbers = numbersOf(type);
  if (numbers === undefined) return (a, b) => (compareValues(type, a, b) === 0 ? same : other);
  return (a, b, scale) => {
    if (a === null || b === null) return a === b ? same : other;
    const isExact = compareValues(type, a, b) === 0;
    if (isExact) return { isExact, isWithin: true, difference: 0 };
    const difference = numbers.difference(a, b);
    const limit = scale ?? Math.max(Math.abs(numbers.read(a)), Math.abs(numbers.read(b)));
    const isWithin = Number.isFinite(difference) && (difference <= absolute || difference <= relative * limit);
    return { isExact, isWithin, difference };
  };
}

export interface Numbers {
  /** The nearest double. */
  read(value: NonNullable<LiteralValue>): number;
  /** The absolute difference, of integers and decimals exact before it is rounded. */
  difference(a: NonNullable<LiteralValue>, b: NonNullable<LiteralValue>): number;
}

/** How values of a type are numbers; undefined where they are none. */
export function numbersOf(type: ValueType): Numbers | undefined {
  switch (type.kind) {
    case 'int32':
    case 'int64': {
      const whole = (value: LiteralValue) => BigInt(value as bigint | number);
      return { read: Number, difference: (a, b) => Math.abs(Number(whole(a) - whole(b))) };
    }
    case 'float32':
    case 'float64':
      return { read: (value) => value as number, difference: (a, b) => distance(a as number, b as number) };
    case 'decimal': {
      const unit = 10 ** type.scale;
      const unscaled = (value: LiteralValue) => parseUnscaled(value as string);
      return { read: Number, difference: (a, b) => Math.abs(Number(unscaled(a) - unscaled(b))) / unit };
    }
    default:
      return undefined;
  }
}

/** Numbers that are not the same: infinite where they are not both finite, or too far apart to tell. */
function distance(a: number, b: number): number {
  const difference = Math.abs(a - b);
  return Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
}
