/** What is compared of a value: a number, or the category that it is. */
import type { ValueType } from '../../definitions/value-type.ts';

export interface Measure {
  readonly kind: 'numbers' | 'categories';
  /** In words, where it is not the value itself. */
  readonly what: string | null;
  /** Of a value as literals or columns have it, which is not null; undefined where it has none. */
  of(value: unknown, atUs: bigint | null): number | string | undefined;
}

/** Of a timestamp its age, since the instants themselves move on by themselves; of lists and bytes the length, of vectors the norm. */
export function measureOf(type: ValueType): Measure {
  switch (type.kind) {
    case 'string':
      return { kind: 'categories', what: null, of: String };
    case 'bool':
      return { kind: 'categories', what: null, of: String };
    case 'timestamp':
      return numbers('age in seconds', (value, atUs) =>
        typeof value === 'bigint' && atUs !== null ? Number(atUs - value) / 1e6 : undefined,
      );
    case 'date':
      return numbers('age in days', (value, atUs) => (atUs === null ? undefined : Number(atUs) / 86_400e6 - dayOf(value)));
    case 'list':
    case 'bytes':
      return numbers('length', (value) => (value as ArrayLike<unknown>).length);
    case 'vector':
      return numbers('norm', (value) => Math.hypot(...Array.from(value as ArrayLike<number>, Number)));
    default:
      return numbers(null, Number);
  }
}

function numbers(what: string | null, of: Measure['of']): Measure {
  return { kind: 'numbers', what, of };
}

/** Literals have dates as text, columns as days. */
function dayOf(value: unknown): number {
  return typeof value === 'string' ? Date.parse(value) / 86_400_000 : Number(value);
}
