/**
 * What is kept of a key's events for a stream view, and how an event enters it. Events that some clock may not yet have passed stand apart,
 * each at its instant; all others are merged into tiles of a hop, or into pieces of sessions, so that nothing depends on their order.
 */
import { floorUs, windowStartUs } from '../../aggregate/window.ts';
import { clockMarginUs } from '../view.ts';
import { mergePiece, type Piece, pieceOf, type WindowEvent } from './piece.ts';
import { insertRecent, openRecents, type Recents, takeRecents } from './recents.ts';
import type { WindowView } from './window-view.ts';

export interface WindowState {
  /** By partition the offset up to which its events are in here. */
  readonly fences: Map<string, bigint>;
  /** Events that may be after T - delay for somebody, by time. */
  recents: Recents;
  /** One a feature, of windows; none of sessions. */
  readonly tiles: LazyTiles[];
  /** Of sessions: runs of events, by time, further apart than the gap. */
  sessions: Piece[];
  /** Pieces of sessions that ended before this have been freed. */
  freedUs: bigint | undefined;
}

export interface FeatureTiles {
  /** The last event that passes `where`, of all that were ever merged; it tells whether a window has any. */
  lastUs: bigint | undefined;
  /** Hops from the epoch -> state of the events in that hop; 0 where there is one tile alone. */
  readonly states: Map<number, object>;
  /** Blocks of so many hops (`blockHops`) from the epoch -> what their tiles are together, where that is known: it saves reads time. */
  readonly blocks: Map<number, object>;
}

export const blockHops = 16;

/** Tiles that are read from their bytes when somebody looks at them: most events of a key come while the tiles rest. */
export interface LazyTiles {
  /** As they were read; undefined once they have been opened. */
  readonly raw: Buffer | undefined;
  open(): FeatureTiles;
  /** Gives states that together hold the events from a hop on, and then the last event that ever passed. */
  readFrom(hop: number, take: (state: object) => void): bigint | undefined;
}

/** Tiles that are there already. */
export function openedTiles(tiles: FeatureTiles): LazyTiles {
  return { raw: undefined, open: () => tiles, readFrom: (hop, take) => readOpened(tiles, hop, take) };
}

export function readOpened({ lastUs, states }: FeatureTiles, first: number, take: (state: object) => void): bigint | undefined {
  for (const [hop, state] of states) if (hop >= first) take(state);
  return lastUs;
}

export function emptyTiles(): FeatureTiles {
  return { lastUs: undefined, states: new Map(), blocks: new Map() };
}

export function createState(view: WindowView): WindowState {
  const tiles = view.gapUs === undefined ? view.features.map(() => openedTiles(emptyTiles())) : [];
  return { fences: new Map(), recents: { raw: undefined, pieces: [] }, tiles, sessions: [], freedUs: undefined };
}

/** The state of some of its features, by their places. */
export function pickFeatures(state: WindowState, places: readonly number[]): WindowState {
  const pick = <T>(all: readonly T[]) => places.map((at) => all[at] as T);
  const pickParts = (pieces: readonly Piece[]) => pieces.map((piece) => ({ ...piece, parts: pick(piece.parts) }));
  return {
    ...state,
    recents: { raw: undefined, pieces: pickParts(openRecents(state.recents)) },
    sessions: pickParts(state.sessions),
    tiles: state.tiles.length === 0 ? [] : pick(state.tiles),
  };
}

/** Before which events are merged at a clock: everybody's T - delay is later by now. */
export function settledUs(view: WindowView, nowUs: bigint): bigint {
  return nowUs - view.delayUs - clockMarginUs;
}

/**
 * Adds an event. False where it cannot be counted: a session that it may belong to has been freed, since no event as late as that was
 * to come.
 */
export function addEvent(view: WindowView, state: WindowState, event: WindowEvent, nowUs: bigint): boolean {
  const { gapUs } = view;
  if (gapUs !== undefined && state.freedUs !== undefined && event.timeUs - gapUs < state.freedUs) return false;
  if (event.timeUs >= settledUs(view, nowUs)) insertRecent(state.recents, pieceOf(view, event));
  else if (gapUs !== undefined) mergePiece(view, state.sessions, pieceOf(view, event), gapUs);
  else addToTiles(view, state, event);
  return true;
}

/**
 * Merges what everybody's clock has passed by now, and frees what no read and no late event can need; `isThorough` also among tiles that
 * nobody has looked at.
 */
export function settle(
  view: WindowView,
  state: WindowState,
  nowUs: bigint,
  acceptedFromUs: bigint | undefined,
  isThorough = false,
): void {
  for (const piece of takeRecents(state.recents, settledUs(view, nowUs))) mergeSettled(view, state, piece);
  if (view.gapUs === undefined) freeTiles(view, state, nowUs, isThorough);
  else if (acceptedFromUs !== undefined) freeSessions(state, view.gapUs, nowUs, acceptedFromUs - view.gapUs);
}

/** Whether nothing is left to keep. */
export function isEmptyState(state: WindowState): boolean {
  return (
    state.fences.size === 0 &&
    state.recents.raw === undefined &&
    state.recents.pieces.length === 0 &&
    state.sessions.length === 0 &&
    state.tiles.every(isEmptyTiles)
  );
}

/** The bytes of tiles of which no event ever passed are none. */
function isEmptyTiles(tiles: LazyTiles): boolean {
  if (tiles.raw !== undefined) return tiles.raw.length === 0;
  const { states, lastUs } = tiles.open();
  return states.size === 0 && lastUs === undefined;
}

/** Where a feature's window at T begins, in hops; below every tile where it has no left end. */
export function firstHop(windowUs: bigint | undefined, hopUs: bigint | undefined, timeUs: bigint): number {
  if (windowUs === undefined || hopUs === undefined) return Number.NEGATIVE_INFINITY;
  return Number(windowStartUs(timeUs, windowUs, hopUs) / hopUs);
}

function addToTiles({ features }: WindowView, { tiles }: WindowState, { timeUs, values }: WindowEvent): void {
  for (let at = 0; at < features.length; at++) {
    const feature = features[at] as WindowView['features'][number];
    if (!feature.passes(values)) continue;
    const own = (tiles[at] as LazyTiles).open();
    if (own.lastUs === undefined || timeUs > own.lastUs) own.lastUs = timeUs;
    const hop = hopOf(timeUs, feature.hopUs);
    const state = own.states.get(hop) ?? feature.aggregate.init();
    own.states.set(hop, state);
    feature.add(state, timeUs, values);
    const block = own.blocks.get(Math.floor(hop / blockHops));
    if (block !== undefined) feature.add(block, timeUs, values);
  }
}

function mergeSettled(view: WindowView, state: WindowState, piece: Piece): void {
  if (view.gapUs !== undefined) {
    mergePiece(view, state.sessions, piece, view.gapUs);
    return;
  }
  for (const [at, part] of piece.parts.entries()) {
    if (part === undefined) continue;
    const { aggregate, hopUs } = view.features[at] as WindowView['features'][number];
    const own = (state.tiles[at] as LazyTiles).open();
    if (own.lastUs === undefined || part.lastUs > own.lastUs) own.lastUs = part.lastUs;
    const hop = hopOf(piece.firstUs, hopUs);
    const block = own.blocks.get(Math.floor(hop / blockHops));
    if (block !== undefined) aggregate.merge(block, part.state);
    const there = own.states.get(hop);
    if (there === undefined) own.states.set(hop, part.state);
    else aggregate.merge(there, part.state);
  }
}

function hopOf(timeUs: bigint, hopUs: bigint | undefined): number {
  return hopUs === undefined ? 0 : Number(floorUs(timeUs, hopUs) / hopUs);
}

/** Windows only move on: what has left the one at the slowest clock is in none. */
function freeTiles({ features }: WindowView, { tiles }: WindowState, nowUs: bigint, isThorough: boolean): void {
  for (const [at, { windowUs, hopUs }] of features.entries()) {
    const lazy = tiles[at] as LazyTiles;
    // What nobody has opened is freed when it is.
    if (windowUs === undefined || hopUs === undefined || (lazy.raw !== undefined && !isThorough)) continue;
    const own = lazy.open();
    const first = firstHop(windowUs, hopUs, nowUs - clockMarginUs);
    for (const hop of own.states.keys()) if (hop < first) own.states.delete(hop);
    // Of a block that the window has begun to leave its tiles count one by one, and what they were together no more.
    for (const block of own.blocks.keys()) if (block * blockHops < first) own.blocks.delete(block);
    if (own.lastUs !== undefined && Number(floorUs(own.lastUs, hopUs) / hopUs) < first) own.lastUs = undefined;
  }
}

function freeSessions(state: WindowState, gapUs: bigint, nowUs: bigint, fromUs: bigint): void {
  const currentFromUs = nowUs - clockMarginUs - gapUs;
  const kept = state.sessions.filter(({ lastUs }) => lastUs >= fromUs || lastUs >= currentFromUs);
  if (kept.length === state.sessions.length) return;
  state.sessions = kept;
  if (state.freedUs === undefined || fromUs > state.freedUs) state.freedUs = fromUs;
}
