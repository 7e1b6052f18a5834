/** How far two values of a feature may be apart and still be the same (section 9). */
import type { ValueType } from '../../definitions/value-type.ts';
import { parseValueType } from '../../definitions/value-type.ts';
import type { FeatureDocument } from '../../registry/document.ts';

/** Within either is within; a relative one is of the greater magnitude of both, of sums, means and deviations of their events' magnitude. */
export interface Tolerance {
  readonly relative: number;
  readonly absolute: number;
}

export const exactly: Tolerance = Object.freeze({ relative: 0, absolute: 0 });
const sums: Tolerance = Object.freeze({ relative: 1e-9, absolute: 0 });
const ratios: Tolerance = Object.freeze({ relative: 1e-9, absolute: 1e-12 });

/** What a feature is held to where nobody says otherwise. */
export function defaultTolerance({ aggregate, type }: Pick<FeatureDocument, 'aggregate' | 'type'>): Tolerance {
  if (aggregate === undefined || !isFloat(parseValueType(type))) return exactly;
  switch (aggregate.function) {
    case 'sum':
    case 'mean':
    case 'stddev':
      return sums;
    case 'rate':
    case 'entropy':
      return ratios;
    default:
      return exactly;
  }
}

/** What a transform makes of values that may differ a little may differ a little. */
export function computedTolerance(type: ValueType, inputs: readonly Tolerance[]): Tolerance {
  return isFloat(type) && inputs.some(({ relative, absolute }) => relative > 0 || absolute > 0) ? ratios : exactly;
}

export function isFloat({ kind }: ValueType): boolean {
  return kind === 'float64' || kind === 'float32';
}
