/** Some events of a key together, from the first to the last: one event that stands apart, or a run of a session. */
import type { LiteralValue } from '../../definitions/literal.ts';
import type { WindowView } from './window-view.ts';

/** Some events, from the first to the last of them. */
export interface Piece {
  firstUs: bigint;
  lastUs: bigint;
  /** One a feature: what the events are to it that pass its `where`; undefined where none does. */
  readonly parts: (Part | undefined)[];
}

export interface Part {
  readonly state: object;
  /** The last event that passes. */
  lastUs: bigint;
}

export interface WindowEvent {
  readonly timeUs: bigint;
  /** Of the view's expressions. */
  readonly values: readonly LiteralValue[];
}

/** One event. */
export function pieceOf({ features }: WindowView, { timeUs, values }: WindowEvent): Piece {
  const parts = features.map((feature) => {
    if (!feature.passes(values)) return undefined;
    const state = feature.aggregate.init();
    feature.add(state, timeUs, values);
    return { state, lastUs: timeUs };
  });
  return { firstUs: timeUs, lastUs: timeUs, parts };
}

/** Merges a piece into runs that stand by time, and all runs that it brings together (rule 6.5). */
export function mergePiece(view: WindowView, runs: Piece[], piece: Piece, gapUs: bigint): void {
  let from = runs.length;
  while (from > 0 && (runs[from - 1] as Piece).lastUs + gapUs >= piece.firstUs) from -= 1;
  let to = from;
  while (to < runs.length && (runs[to] as Piece).firstUs - gapUs <= piece.lastUs) to += 1;
  const merged = from === to ? piece : (runs[from] as Piece);
  for (const other of from === to ? [] : [...runs.slice(from + 1, to), piece]) mergeInto(view, merged, other);
  runs.splice(from, to - from, merged);
}

/** Adds to a piece what another holds, which is not to be used any more. */
function mergeInto(view: WindowView, into: Piece, from: Piece): void {
  if (from.firstUs < into.firstUs) into.firstUs = from.firstUs;
  if (from.lastUs > into.lastUs) into.lastUs = from.lastUs;
  for (const [at, part] of from.parts.entries()) {
    const own = into.parts[at];
    if (part === undefined) continue;
    if (own === undefined) into.parts[at] = part;
    else {
      view.features[at]?.aggregate.merge(own.state, part.state);
      if (part.lastUs > own.lastUs) own.lastUs = part.lastUs;
    }
  }
}
