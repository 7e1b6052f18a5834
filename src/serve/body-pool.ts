/** Memory that the bodies of one stream are read into again and again: fresh memory for each took two fifths of the processor's time. */

export interface BodyPool {
  /** At least so many bytes, of any content. */
  take(bytes: number): Buffer;
  /** Gives back what `take` gave and nobody reads any more. */
  give(piece: Buffer): void;
}

/** As many as are in use at once: one is sent while the next is read. */
const keptPieces = 3;
/** Larger ones are not kept. */
const keptBytes = 64 * 2 ** 20;

export function createBodyPool(): BodyPool {
  const free: Buffer[] = [];
  return {
    take(bytes) {
      const at = free.findIndex((piece) => piece.length >= bytes);
      return (at === -1 ? undefined : free.splice(at, 1)[0]) ?? Buffer.allocUnsafeSlow(bytes);
    },
    give(piece) {
      if (piece.length > keptBytes) return;
      // The oldest goes: it may be too short for what comes now.
      if (free.length === keptPieces) free.shift();
      free.push(piece);
    },
  };
}
