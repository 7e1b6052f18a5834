/** The compressions that producers may choose: each undone within a bound of memory. */
import zlib from 'node:zlib';
import lz4 from 'lz4-napi';
import snappy from 'snappy';
import { checkLz4Growth } from '../../arrow/lz4-frame.ts';
import { decompressZstdFrame } from '../../arrow/zstd.ts';
import { FeatureStoreError } from '../../errors.ts';

/** Bytes that one batch of records may unfold to; producers keep theirs below a few MiB. */
export const mostBatchBytes = 256 * 2 ** 20;

export type Decompress = (bytes: Buffer) => Promise<Buffer>;

export const decompressors: Readonly<Record<'gzip' | 'snappy' | 'lz4' | 'zstd', Decompress>> = {
  gzip: async (bytes) => zlib.gunzipSync(bytes, { maxOutputLength: mostBatchBytes }),
  snappy: unpackSnappy,
  async lz4(bytes) {
    checkLz4Growth(bytes, mostBatchBytes, 'of a Kafka record batch');
    return lz4.decompressFrameSync(bytes);
  },
  zstd: async (bytes) => Buffer.from(decompressZstdFrame(bytes, mostBatchBytes)),
};

const xerialMagic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0]);

/** Plain Snappy, or Java's framing: magic (8) | version (4) | compatible (4) | blocks, each uint32 size, big-endian | Snappy. */
async function unpackSnappy(bytes: Buffer): Promise<Buffer> {
  if (!bytes.subarray(0, 8).equals(xerialMagic)) return await unpackSnappyBlock(bytes, mostBatchBytes);
  const blocks: Buffer[] = [];
  let left = mostBatchBytes;
  for (let at = 16; at + 4 <= bytes.length; ) {
    const size = bytes.readUInt32BE(at);
    const block = await unpackSnappyBlock(bytes.subarray(at + 4, at + 4 + size), left);
    blocks.push(block);
    left -= block.length;
    at += 4 + size;
  }
  return Buffer.concat(blocks);
}

async function unpackSnappyBlock(bytes: Buffer, most: number): Promise<Buffer> {
  if (snappyLength(bytes) > most) throw tooLarge();
  return (await snappy.uncompress(bytes, { asBuffer: true })) as Buffer;
}

/** The plain length stands at the head, 7 bits a byte, the lowest first. */
function snappyLength(bytes: Buffer): number {
  let length = 0;
  for (let at = 0; at < 5; at++) {
    const byte = bytes[at] ?? 0;
    length += (byte & 0x7f) * 2 ** (7 * at);
    if (byte < 0x80) break;
  }
  return length;
}

function tooLarge(): FeatureStoreError {
  return new FeatureStoreError('RESOURCE_EXHAUSTED', `a compressed batch of records holds more than ${mostBatchBytes} bytes`);
}
