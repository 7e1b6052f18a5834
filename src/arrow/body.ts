/** A batch's nodes and buffers in the order in which columns ask for them, each within the body, aligned and decompressed. */
import type { RecordBatch as FbRecordBatch } from 'apache-arrow/fb/record-batch';
import { FeatureStoreError } from '../errors.ts';
import { type Compression, codecName, decompressBuffer } from './compression.ts';
import { maxLength } from './message.ts';
import { checkedNumber, malformed } from './metadata-reader.ts';

export interface BodyReader {
  nextNode(name: string): { readonly length: number; readonly nullCount: number };
  /** The next buffer, of at least `minBytes`; longer ones, as padding makes them, come whole. */
  nextBuffer(name: string, minBytes: number): Uint8Array;
  /** How many data buffers the next column of views has. */
  nextVariadicCount(name: string): number;
}

/** Reads a batch's body in order; a compressed one may grow to `maxDecodedBytes` in all. */
export function bodyReader(batch: FbRecordBatch, body: Uint8Array, maxDecodedBytes: number): BodyReader {
  const compressionTable = batch.compression();
  const compression: Compression | undefined = compressionTable === null ? undefined : codecName(compressionTable.codec());
  let node = 0;
  let buffer = 0;
  let variadic = 0;
  let budget = maxDecodedBytes;

  function decompress(bytes: Uint8Array, codec: Compression, name: string): Uint8Array {
    const decoded = decompressBuffer(bytes, codec, budget, name);
    budget -= decoded.byteLength;
    return decoded;
  }

  return {
    nextNode(name) {
      const next = node < batch.nodesLength() ? batch.nodes(node++) : null;
      if (next === null) throw malformed(`it has no node for column "${name}"`);
      const length = checkedNumber(next.length(), maxLength, `the row count of column "${name}"`);
      return { length, nullCount: checkedNumber(next.nullCount(), length, `the null count of column "${name}"`) };
    },
    nextBuffer(name, minBytes) {
      const next = buffer < batch.buffersLength() ? batch.buffers(buffer++) : null;
      if (next === null) throw malformed(`it has no buffer for column "${name}"`);
      const start = checkedNumber(next.offset(), body.byteLength, `a buffer's start in column "${name}"`);
      const length = checkedNumber(next.length(), body.byteLength - start, `a buffer's length in column "${name}"`);
      const bytes = new Uint8Array(body.buffer, body.byteOffset + start, length);
      const plain = compression === undefined || length === 0 ? bytes : decompress(bytes, compression, name);
      if (plain.byteLength < minBytes)
        throw malformed(`a buffer of column "${name}" has ${plain.byteLength} bytes where it needs ${minBytes}`);
      if (plain.byteLength > maxLength) {
        throw new FeatureStoreError(
          'INVALID_ARGUMENT',
          `Column "${name}" has a buffer of ${plain.byteLength} bytes, more than 2 GiB; send smaller batches`,
        );
      }
      // Typed arrays need aligned starts; a body that came at an odd place in its message is copied, buffer by buffer.
      return plain.byteOffset % 8 === 0 ? plain : new Uint8Array(plain);
    },
    nextVariadicCount(name) {
      const next = variadic < batch.variadicBufferCountsLength() ? batch.variadicBufferCounts(variadic++) : null;
      if (next === null) throw malformed(`it does not say how many buffers column "${name}" has`);
      return checkedNumber(next, batch.buffersLength(), `the buffer count of column "${name}"`);
    },
  };
}
