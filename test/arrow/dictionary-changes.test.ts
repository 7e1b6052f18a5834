/** Which dictionaries a stream must carry before a batch. */
import { expect, it } from 'vitest';
import { columnFromValues } from '../../src/arrow/build.ts';
import { changedDictionaries, completeDictionaries } from '../../src/arrow/dictionary-changes.ts';
import { type Field, field, type Schema } from '../../src/arrow/schema.ts';

const dictionary = (id: bigint) => ({ id, indexBits: 8, indexSigned: true, ordered: false }) as const;
const encoded: Field = { ...field('a', { id: 'utf8' }), dictionary: dictionary(7n) };
const nested: Field = {
  ...field('b', { id: 'list' }, [{ ...field('item', { id: 'utf8' }), dictionary: dictionary(9n) }]),
  dictionary: dictionary(8n),
};
const schema: Schema = { fields: [encoded, nested, { ...encoded, name: 'c' }], metadata: new Map() };
const values = (text: string) => columnFromValues(field('a', { id: 'utf8' }), [text]);

it('names each that is another column than before, inner ones first', () => {
  const [a, b, c] = [values('a'), values('b'), values('c')] as const;
  const first = new Map([
    [7n, a],
    [8n, b],
    [9n, c],
  ]);
  expect(changedDictionaries(schema, new Map(), first).map((change) => change.id)).toEqual([7n, 9n, 8n]);
  expect(changedDictionaries(schema, first, first)).toEqual([]);
  const later = new Map(first).set(8n, a);
  expect(changedDictionaries(schema, first, later)).toEqual([{ id: 8n, isDelta: false, values: a }]);
});

it('completes what a frame without batches lacks, and keeps what it has', () => {
  const b = values('b');
  const complete = completeDictionaries(schema, new Map([[8n, b]]));
  expect(complete.get(8n)).toBe(b);
  expect([...complete].map(([id, { length }]) => [id, length])).toEqual([
    [8n, 1],
    [7n, 0],
    [9n, 0],
  ]);
});
