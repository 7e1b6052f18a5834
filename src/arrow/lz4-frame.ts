/** How far an LZ4 frame can grow, read from its block headers before anything is decompressed. */
import { malformed } from './metadata-reader.ts';
import { dataView } from './typed-view.ts';

/**
 * Refuses a frame whose blocks could hold far more than `length` bytes. A frame is
 * uint32 magic | FLG | BD | [uint64 content size] | [uint32 dictionary] | HC | blocks | uint32 0 | [uint32 checksum],
 * a block uint32 size (highest bit: stored plain) | bytes | [uint32 checksum].
 */
export function checkLz4Growth(frame: Uint8Array, length: number, name: string): void {
  const cutShort = () => malformed(`an LZ4 frame of column "${name}" is cut short`);
  const view = dataView(frame);
  if (frame.byteLength < 11) throw cutShort();
  if (view.getUint32(0, true) !== 0x184d2204) throw malformed(`a buffer of column "${name}" is no LZ4 frame`);
  const flags = frame[4] as number;
  const blockBytes = 1 << (8 + 2 * (((frame[5] as number) >> 4) & 7));
  let at = 7 + (flags & 0x08 ? 8 : 0) + (flags & 0x01 ? 4 : 0);
  let most = 0;
  for (;;) {
    if (at + 4 > frame.byteLength) throw cutShort();
    const size = view.getUint32(at, true);
    if (size === 0) return;
    const bytes = size & 0x7fffffff;
    // A block of LZ4 grows at most 255-fold, and never beyond the frame's block size.
    most += size === bytes ? Math.min(blockBytes, 255 * bytes) : bytes;
    at += 4 + bytes + (flags & 0x10 ? 4 : 0);
    // Writers fill every block but the last; twice the claim leaves room for those that do not.
    if (most > 2 * length + blockBytes)
      throw malformed(`an LZ4 frame of column "${name}" can hold far more than the ${length} bytes it claims`);
  }
}
