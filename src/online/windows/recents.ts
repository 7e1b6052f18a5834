/** Events that may be after T - delay for somebody, by time: mostly one more is put behind those that are there, which stay bytes. */
import type { Piece } from './piece.ts';

export interface Recents {
  /** The oldest of them, as they were read; undefined once somebody has looked at them. */
  raw: RawRecents | undefined;
  /** Those that are no bytes, none before the last of `raw`; each is of one instant. */
  pieces: Piece[];
}

export interface RawRecents {
  readonly count: number;
  readonly firstUs: bigint;
  /** The time of the last of them. */
  readonly lastUs: bigint;
  readonly bytes: Buffer;
  open(): Piece[];
}

/** All of them, by time. */
export function openRecents(recents: Recents): Piece[] {
  if (recents.raw !== undefined) recents.pieces = [...recents.raw.open(), ...recents.pieces];
  recents.raw = undefined;
  return recents.pieces;
}

export function insertRecent(recents: Recents, piece: Piece): void {
  if (recents.raw !== undefined && piece.firstUs < recents.raw.lastUs) openRecents(recents);
  const { pieces } = recents;
  let at = pieces.length;
  while (at > 0 && (pieces[at - 1] as Piece).firstUs > piece.firstUs) at -= 1;
  pieces.splice(at, 0, piece);
}

/** Takes those before an instant. */
export function takeRecents(recents: Recents, beforeUs: bigint): Piece[] {
  const firstUs = recents.raw?.firstUs ?? recents.pieces[0]?.firstUs;
  if (firstUs === undefined || firstUs >= beforeUs) return [];
  const pieces = openRecents(recents);
  let count = 0;
  while (count < pieces.length && (pieces[count] as Piece).firstUs < beforeUs) count += 1;
  return pieces.splice(0, count);
}
