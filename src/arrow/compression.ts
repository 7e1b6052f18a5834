/** Compressed buffers: int64 length of the plain bytes, little-endian, then an LZ4 frame or a Zstandard frame; -1 means stored plain. */
import { CompressionType } from 'apache-arrow/fb/compression-type';
import lz4 from 'lz4-napi';
import { FeatureStoreError } from '../errors.ts';
import { checkLz4Growth } from './lz4-frame.ts';
import { checkedNumber, malformed } from './metadata-reader.ts';
import { dataView } from './typed-view.ts';
import { compressZstd, decompressZstd } from './zstd.ts';

export type Compression = 'lz4' | 'zstd';

export function codecNumber(compression: Compression): CompressionType {
  return compression === 'lz4' ? CompressionType.LZ4_FRAME : CompressionType.ZSTD;
}

export function codecName(codec: number): Compression {
  if (codec === CompressionType.LZ4_FRAME) return 'lz4';
  if (codec === CompressionType.ZSTD) return 'zstd';
  throw new FeatureStoreError('INVALID_ARGUMENT', `The body is compressed with codec number ${codec}; use lz4 or zstd`);
}

/** Compresses one buffer, or stores it plain where that is shorter; an empty one stays empty. */
export function compressBuffer(bytes: Uint8Array, compression: Compression): Uint8Array {
  if (bytes.byteLength === 0) return bytes;
  const compressed = compression === 'lz4' ? lz4.compressFrameSync(asBuffer(bytes)) : compressZstd(bytes);
  const smaller = compressed.byteLength < bytes.byteLength;
  const content = smaller ? compressed : bytes;
  const buffer = new Uint8Array(8 + content.byteLength);
  dataView(buffer).setBigInt64(0, smaller ? BigInt(bytes.byteLength) : -1n, true);
  buffer.set(content, 8);
  return buffer;
}

/** The plain bytes of one buffer; more of them than `maxBytes` are RESOURCE_EXHAUSTED, before they take memory. */
export function decompressBuffer(buffer: Uint8Array, compression: Compression, maxBytes: number, name: string): Uint8Array {
  if (buffer.byteLength < 8) throw malformed(`a compressed buffer of column "${name}" has no length`);
  const claimed = dataView(buffer).getBigInt64(0, true);
  const content = buffer.subarray(8);
  if (claimed === -1n) return content;
  const length = checkedNumber(claimed, Number.MAX_SAFE_INTEGER, `the plain length of a buffer of column "${name}"`);
  if (length > maxBytes) {
    throw new FeatureStoreError(
      'RESOURCE_EXHAUSTED',
      `A compressed buffer of column "${name}" grows beyond ${maxBytes} bytes; send smaller batches`,
    );
  }
  if (length === 0) return new Uint8Array(0);
  const plain = compression === 'lz4' ? decompressLz4(content, length, name) : decompressZstd(content, length, name);
  if (plain.byteLength !== length) {
    throw malformed(`a compressed buffer of column "${name}" holds ${plain.byteLength} bytes and claims ${length}`);
  }
  // Not a Buffer, as both codecs may give: slice must copy, whoever calls it.
  return new Uint8Array(plain.buffer, plain.byteOffset, plain.byteLength);
}

function decompressLz4(content: Uint8Array, length: number, name: string): Uint8Array {
  checkLz4Growth(content, length, name);
  try {
    return lz4.decompressFrameSync(asBuffer(content));
  } catch (cause) {
    throw malformed(`a buffer of column "${name}" is no LZ4 frame: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
