/** Zstandard: Node's own where it has it (22.15 and later), else WebAssembly. */
import zlib from 'node:zlib';
import { FeatureStoreError } from '../errors.ts';
import { malformed } from './metadata-reader.ts';
import { dataView } from './typed-view.ts';

interface NativeZstd {
  zstdCompressSync(bytes: Uint8Array, options: { params: Record<number, number> }): Uint8Array;
  zstdDecompressSync(bytes: Uint8Array, options: { maxOutputLength: number }): Uint8Array;
  readonly constants: Record<string, number>;
}

const native = 'zstdCompressSync' in zlib ? (zlib as unknown as NativeZstd) : undefined;
const wasm = native === undefined ? await loadWasm() : undefined;

async function loadWasm() {
  const zstd = await import('@bokuweb/zstd-wasm');
  await zstd.init();
  return zstd;
}

/** One frame that states its size, at the level that favours speed. */
export function compressZstd(bytes: Uint8Array): Uint8Array {
  if (wasm !== undefined) return wasm.compress(bytes, 1);
  const zstd = native as NativeZstd;
  return zstd.zstdCompressSync(bytes, { params: { [zstd.constants.ZSTD_c_compressionLevel as number]: 1 } });
}

/** The plain bytes of a frame; one that would hold more than `length` is refused before they take memory. */
export function decompressZstd(frame: Uint8Array, length: number, name: string): Uint8Array {
  const stated = statedSize(frame);
  if (stated === undefined) throw malformed(`a buffer of column "${name}" is no Zstandard frame`);
  if (stated !== -1n && stated !== BigInt(length)) {
    throw malformed(`a Zstandard frame of column "${name}" holds ${stated} bytes and claims ${length}`);
  }
  if (wasm !== undefined && length > wasmLimit) {
    throw new FeatureStoreError(
      'RESOURCE_EXHAUSTED',
      `A compressed buffer of column "${name}" has ${length} bytes; send smaller batches`,
    );
  }
  try {
    if (wasm !== undefined) return wasm.decompress(frame, { defaultHeapSize: length });
    return (native as NativeZstd).zstdDecompressSync(frame, { maxOutputLength: length });
  } catch (cause) {
    throw malformed(
      `a Zstandard frame of column "${name}" is damaged: ${cause instanceof Error ? cause.message : String(cause)}`,
    );
  }
}

/** The plain bytes of a frame of another's writing, which may not say how many they are; one that holds more than `most` throws. */
export function decompressZstdFrame(frame: Uint8Array, most: number): Uint8Array {
  if (wasm === undefined) return (native as NativeZstd).zstdDecompressSync(frame, { maxOutputLength: most });
  const stated = statedSize(frame);
  if (stated !== undefined && stated > BigInt(most)) throw new FeatureStoreError('RESOURCE_EXHAUSTED', tooMuch(most));
  for (let room = Math.min(most, Math.max(2 ** 20, 8 * frame.byteLength)); ; room = Math.min(most, 2 * room)) {
    try {
      return wasm.decompress(frame, { defaultHeapSize: room });
    } catch (cause) {
      if (stated !== -1n) throw cause;
      if (room === most) throw new FeatureStoreError('RESOURCE_EXHAUSTED', tooMuch(most), { cause });
    }
  }
}

function tooMuch(most: number): string {
  return `A Zstandard frame holds more than ${most} bytes`;
}

/** WebAssembly memory holds the frame and what it unfolds to. */
const wasmLimit = 2 ** 30;

/**
 * What a frame says it holds: -1 where it does not say, undefined where it is no frame.
 * uint32 magic | descriptor | [window] | [dictionary, 0 to 4 bytes] | [content size, 1 to 8 bytes].
 */
function statedSize(frame: Uint8Array): bigint | undefined {
  if (frame.byteLength < 18) frame = Buffer.concat([frame], 18);
  const view = dataView(frame);
  if (view.getUint32(0, true) !== 0xfd2fb528) return undefined;
  const descriptor = frame[4] as number;
  const singleSegment = (descriptor & 0x20) !== 0;
  const at = 5 + (singleSegment ? 0 : 1) + ([0, 1, 2, 4][descriptor & 3] as number);
  switch (descriptor >> 6) {
    case 0:
      return singleSegment ? BigInt(frame[at] as number) : -1n;
    case 1:
      return BigInt(view.getUint16(at, true) + 256);
    case 2:
      return BigInt(view.getUint32(at, true));
    default:
      return view.getBigUint64(at, true);
  }
}
