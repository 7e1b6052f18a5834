import { describe, expect, it } from 'vitest';
import { columnFromValues } from '../../src/arrow/build.ts';
import { encodeDictionaryBatch, encodeRecordBatch } from '../../src/arrow/record-batch.ts';
import { field, type Schema } from '../../src/arrow/schema.ts';
import { encodeSchemaMessage } from '../../src/arrow/schema-message.ts';
import { createFrameHash } from '../../src/serve/frame-hash.ts';

const utf8 = field('values', { id: 'utf8' });
const coded = (name: string, id: bigint) => ({
  ...field(name, { id: 'utf8' }),
  dictionary: { id, indexBits: 32 as const, indexSigned: true, ordered: false },
});
const schema: Schema = { fields: [coded('a', 0n), coded('b', 1n), field('n', { id: 'float', bits: 64 })], metadata: new Map() };

function hashOf(dictionaries: readonly { id: bigint; values: string[]; isDelta?: boolean }[], compression?: 'lz4'): string {
  const hash = createFrameHash();
  hash.update({ header: encodeSchemaMessage(schema), body: new Uint8Array(0) });
  for (const { id, values, isDelta = false } of dictionaries) {
    const { header, body } = encodeDictionaryBatch({ id, isDelta, values: columnFromValues(utf8, values) });
    hash.update({ header, body: Buffer.concat(body) });
  }
  const columns = [columnFromValues(field('n', { id: 'float', bits: 64 }), Array(500).fill(1))];
  const plain: Schema = { fields: [schema.fields[2] as (typeof schema.fields)[number]], metadata: new Map() };
  const hashed = createFrameHash();
  hashed.update({ header: encodeSchemaMessage(plain), body: new Uint8Array(0) });
  const { header, body } = encodeRecordBatch({ schema: plain, length: 500, columns }, { compression });
  hashed.update({ header, body: Buffer.concat(body) });
  return `${hash.digest()} ${hashed.digest()}`;
}

describe('the hash of a frame (section 10)', () => {
  it('does not depend on compression', () => {
    expect(hashOf([], 'lz4')).toBe(hashOf([]));
  });

  it('tells dictionaries of different columns, and replaced from grown ones', () => {
    const ab = ['a', 'b'];
    const cd = ['c', 'd'];
    const base = hashOf([
      { id: 0n, values: ab },
      { id: 1n, values: cd },
    ]);
    expect(
      hashOf([
        { id: 1n, values: ab },
        { id: 0n, values: cd },
      ]),
    ).not.toBe(base);
    const replaced = hashOf([
      { id: 0n, values: ab },
      { id: 0n, values: cd },
    ]);
    expect(
      hashOf([
        { id: 0n, values: ab },
        { id: 0n, values: cd, isDelta: true },
      ]),
    ).not.toBe(replaced);
  });
});
