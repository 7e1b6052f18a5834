import { describe, expect, it } from 'vitest';
import { columnFromValues } from '../../src/arrow/build.ts';
import type { Compression } from '../../src/arrow/compression.ts';
import { encodeDictionaryBatch, encodeRecordBatch } from '../../src/arrow/record-batch.ts';
import { type Field, field, type Schema } from '../../src/arrow/schema.ts';
import { encodeSchemaMessage } from '../../src/arrow/schema-message.ts';
import { createFrameHash } from '../../src/serve/frame-hash.ts';

const nothing = field('nothing', { id: 'null' });
const number = field('number', { id: 'int', bits: 64, signed: true });
const flag = field('flag', { id: 'bool' });
const words = {
  ...field('word', { id: 'utf8' }),
  dictionary: { id: 1n, indexBits: 32 as const, indexSigned: true, ordered: false },
};

function openFrame(fields: readonly Field[]) {
  const schema: Schema = { fields, metadata: new Map() };
  const hash = createFrameHash();
  hash.update({ header: encodeSchemaMessage(schema), body: new Uint8Array(0) });
  return {
    add(length: number, values: readonly (readonly unknown[])[], compression?: Compression): number {
      const columns = fields.map((each, index) =>
        each === nothing
          ? { field: each, length, nullCount: length, buffers: [], children: [] }
          : columnFromValues(each, values[index] ?? []),
      );
      const { header, body } = encodeRecordBatch({ schema, length, columns }, { compression });
      hash.update({ header, body: Buffer.concat(body) });
      return hash.heldBytes;
    },
    addWords(values: readonly string[], isDelta: boolean): number {
      const column = columnFromValues(field('word', { id: 'utf8' }), values);
      const { header, body } = encodeDictionaryBatch({ id: 1n, isDelta, values: column }, { compression: 'lz4' });
      hash.update({ header, body: Buffer.concat(body) });
      return hash.heldBytes;
    },
  };
}

describe('the size of a frame', () => {
  it('is no more rows than its bytes can hold: at once, or message by message', () => {
    expect(() => openFrame([nothing]).add(2 ** 31 - 1, [])).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    expect(() => openFrame([nothing]).add(60_000, [])).not.toThrow();
    const frame = openFrame([nothing]);
    expect(() => {
      for (let batch = 0; batch < 3; batch++) frame.add(60_000, []);
    }).toThrow('rows');
  });

  it('may be of the narrowest keys there are, compressed or not', () => {
    const values = Array.from({ length: 500_000 }, (_, row) => row % 3 === 0);
    for (const compression of [undefined, 'lz4', 'zstd'] as const)
      expect(() => openFrame([flag, nothing]).add(500_000, [values], compression)).not.toThrow();
  });

  it('counts what its largest batch takes of memory, unfolded', () => {
    const frame = openFrame([number]);
    const small = frame.add(1000, [Array(1000).fill(7n)]);
    expect(small).toBe(8000);
    const large = frame.add(100_000, [Array(100_000).fill(7n)], 'zstd');
    expect(large).toBeGreaterThan(800_000);
    expect(large).toBeLessThan(900_000);
    expect(frame.add(10, [Array(10).fill(7n)])).toBe(large);
  });

  it('counts the dictionaries that are kept: grown ones together, replaced ones no more', () => {
    const frame = openFrame([words]);
    const some = Array(10_000).fill('a word of some length');
    const one = frame.addWords(some, false);
    expect(frame.addWords(some, false)).toBe(one);
    expect(frame.addWords(some, true)).toBe(2 * one);
  });

  it('is refused where its compressed dictionaries unfold to more than fits', () => {
    const frame = openFrame([words]);
    const long = Array(60).fill('x'.repeat(1_000_000));
    expect(() => {
      for (let part = 0; part < 6; part++) frame.addWords(long, true);
    }).toThrow(expect.objectContaining({ code: 'RESOURCE_EXHAUSTED' }));
  });
});
