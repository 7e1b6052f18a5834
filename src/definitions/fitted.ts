/** Fitted defaults: numbers learnt from the rows before a day, rather than written down (rule 5.3). */

export type FittedKind = 'mean' | 'median' | 'mode';

export const fittedKinds: readonly FittedKind[] = ['mean', 'median', 'mode'];

export interface Fitted<K extends FittedKind = FittedKind> {
  readonly kind: 'fitted';
  readonly function: K;
}

/** A default computed from the view's own rows: `mean` and `median` for float features, `mode` for any type. */
export function fitted<K extends FittedKind>(name: K): Fitted<K> {
  return Object.freeze({ kind: 'fitted', function: name });
}
