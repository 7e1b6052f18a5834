/** The values of a stream view's features at T, from the states of a key (rules 6.2 to 6.5). */
import type { LiteralValue } from '../../definitions/literal.ts';
import { mergePiece, type Piece } from './piece.ts';
import { openRecents } from './recents.ts';
import { firstHop, type LazyTiles, type WindowState } from './state.ts';
import type { WindowFeature, WindowView } from './window-view.ts';

export interface WindowValue {
  readonly value: LiteralValue;
  /** The last event of the window or session that passes `where`; null where there is none. */
  readonly eventUs: bigint | null;
  /** null for being outside its type (rule 6.10). */
  readonly isOutOfRange: boolean;
}

/** One value a feature of the state's view. The state is used up. */
export function readWindows(view: WindowView, state: WindowState, atUs: bigint): WindowValue[] {
  const endUs = atUs - view.delayUs;
  const recents = openRecents(state.recents).filter(({ firstUs }) => firstUs < endUs);
  if (view.gapUs !== undefined) return readSession(view, state.sessions, recents, view.gapUs, atUs);
  return view.features.map((feature, at) => readWindow(feature, at, state.tiles[at] as LazyTiles, recents, atUs));
}

function readWindow(
  { aggregate, windowUs, hopUs }: WindowFeature,
  at: number,
  tiles: LazyTiles,
  recents: readonly Piece[],
  atUs: bigint,
): WindowValue {
  const first = firstHop(windowUs, hopUs, atUs);
  const startUs = hopUs === undefined ? undefined : BigInt(first) * hopUs;
  const isInside = (timeUs: bigint) => startUs === undefined || timeUs >= startUs;
  const state = aggregate.init();
  const lastUs = tiles.readFrom(first, (tile) => aggregate.merge(state, tile));
  let eventUs = lastUs !== undefined && isInside(lastUs) ? lastUs : null;
  for (const { parts } of recents) {
    const part = parts[at];
    if (part === undefined || !isInside(part.lastUs)) continue;
    aggregate.merge(state, part.state);
    if (eventUs === null || part.lastUs > eventUs) eventUs = part.lastUs;
  }
  return finish(aggregate, state, eventUs);
}

function readSession(view: WindowView, sessions: Piece[], recents: readonly Piece[], gapUs: bigint, atUs: bigint): WindowValue[] {
  for (const piece of recents) mergePiece(view, sessions, piece, gapUs);
  const last = sessions.at(-1);
  const current = last !== undefined && last.lastUs >= atUs - gapUs ? last : undefined;
  return view.features.map(({ aggregate }, at) => {
    const part = current?.parts[at];
    return finish(aggregate, part?.state ?? aggregate.init(), part?.lastUs ?? null);
  });
}

function finish(aggregate: WindowFeature['aggregate'], state: object, eventUs: bigint | null): WindowValue {
  const value = aggregate.finalize(state);
  return { value, eventUs, isOutOfRange: value === null && aggregate.isOutOfRange?.(state) === true };
}
