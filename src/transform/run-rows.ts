/** The loop over rows, compiled for one view's names inside of its context, so that what a transform sees is of its own realm. */
import type { OnDemandViewDocument } from '../registry/document.ts';

/** What the loop is given: columns by input and request value, T by row, and where it writes. */
export interface RowLoopInput {
  readonly inputs: readonly (readonly unknown[])[];
  readonly request: readonly (readonly unknown[])[];
  readonly timesUs: readonly (bigint | null)[];
  readonly now: (timeUs: bigint) => unknown;
  readonly results: unknown[];
  readonly from: number;
  readonly to: number;
  /** The row at hand: the one that failed, where one does. */
  readonly at: { row: number };
}

/** The text of a function `(transform) => (input: RowLoopInput) => void`. Lists come frozen and bytes copied: no row can reach another. */
export function compileRowLoop(view: OnDemandViewDocument): string {
  let next = 0;
  const features = view.inputs.map((input) => {
    const members = input.features.map((name) => `${JSON.stringify(name)}: own(inputs[${next++}][row])`);
    return `${JSON.stringify(input.prefix ?? input.view)}: { ${members.join(', ')} }`;
  });
  const request = view.request.map(({ name }, at) => `${JSON.stringify(name)}: own(request[${at}][row])`);
  return `(() => {
  'use strict';
  const copy = (value) => (Array.isArray(value) ? Object.freeze(Array.from(value, own)) : new Uint8Array(value));
  const own = (value) => (typeof value === 'object' && value !== null ? copy(value) : value);
  return (transform) => ({ inputs, request, timesUs, now, results, from, to, at }) => {
    for (let row = from; row < to; row++) {
      const timeUs = timesUs[row];
      if (timeUs === null) continue;
      at.row = row;
      results[row] = transform({ features: { ${features.join(', ')} }, request: { ${request.join(', ')} }, now: now(timeUs) });
    }
  };
})()`;
}
