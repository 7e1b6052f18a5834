/** Compressions of record batches: as other writers make them, and those that would unfold to more than memory. */
import zlib from 'node:zlib';
import lz4 from 'lz4-napi';
import snappy from 'snappy';
import { describe, expect, it } from 'vitest';
import { compressZstd } from '../../../src/arrow/zstd.ts';
import { decompressors, mostBatchBytes } from '../../../src/stream/log/kafka-codecs.ts';
import { runProgram } from '../../support/run-program.ts';
import { pythonPath } from '../../support/start-python.ts';

const plain = Buffer.from('event '.repeat(40_000));

/** Java's framing of Snappy: a header, then blocks with their size before them. */
function frameAsJava(blocks: readonly Buffer[]): Buffer {
  const parts = blocks.flatMap((block) => {
    const size = Buffer.alloc(4);
    size.writeUInt32BE(block.length);
    return [size, block];
  });
  return Buffer.concat([Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]), ...parts]);
}

/** Zstandard that does not say how much it holds, as a writer makes it that streams. */
async function streamedZstd(bytes: number): Promise<Buffer> {
  const code = `import pyarrow as pa, sys, base64
sink = pa.BufferOutputStream()
with pa.CompressedOutputStream(sink, "zstd") as out:
    for _ in range(${bytes} // 65536): out.write(b"x" * 65536)
print(base64.b64encode(sink.getvalue()).decode())`;
  const { stdout } = await runProgram(pythonPath, ['-c', code]);
  return Buffer.from(stdout, 'base64');
}

describe('a compressed batch', () => {
  it('is undone', async () => {
    expect((await decompressors.gzip(zlib.gzipSync(plain))).equals(plain)).toBe(true);
    expect((await decompressors.snappy(snappy.compressSync(plain))).equals(plain)).toBe(true);
    const halves = [plain.subarray(0, 100_000), plain.subarray(100_000)].map((half) => snappy.compressSync(half));
    expect((await decompressors.snappy(frameAsJava(halves))).equals(plain)).toBe(true);
    expect((await decompressors.lz4(lz4.compressFrameSync(plain))).equals(plain)).toBe(true);
    expect((await decompressors.zstd(Buffer.from(compressZstd(plain)))).equals(plain)).toBe(true);
    const streamed = await decompressors.zstd(await streamedZstd(8 * 2 ** 20));
    expect(streamed.equals(Buffer.alloc(8 * 2 ** 20, 'x'))).toBe(true);
  });

  it('that would take more memory than a batch may is refused', async () => {
    const block = snappy.compressSync(Buffer.alloc(2 ** 20));
    const claims = Buffer.concat([Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f]), block.subarray(4)]);
    await expect(decompressors.snappy(claims)).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
    const blocks = Array.from({ length: mostBatchBytes / 2 ** 20 + 1 }, () => block);
    await expect(decompressors.snappy(frameAsJava(blocks))).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
    await expect(decompressors.zstd(await streamedZstd(2 * mostBatchBytes))).rejects.toThrow();
  });

  it.each(Object.entries(decompressors))('that is damaged is refused: %s', async (_, decompress) => {
    await expect(decompress(Buffer.from('this is no compressed batch of records'))).rejects.toThrow();
  });
});
