/** What a process tells of its source's stream. */
import { expect, test } from 'vitest';
import { maxIgnoredNames } from '../../src/stream/decode/ignored-fields.ts';
import { createStatus } from '../../src/stream/status.ts';

const field = (name: string, events: number, offset: bigint) => ({ name, events, offset });

test('fields that are ignored add up over batches and partitions, those of most events first, and bounded', () => {
  const status = createStatus('clicks');
  const applied = (partition: string, fields: ReturnType<typeof field>[], others = 0) =>
    status.applied(partition, { records: 1, milliseconds: 1, ignored: { fields, others } });
  applied('0', [field('kin', 2, 5n), field('page', 3, 6n)]);
  applied('1', [field('kin', 4, 1n)]);
  expect(status.read()).toMatchObject({
    ignoredFields: [
      { name: 'kin', events: 6, partition: '1', offset: 1n },
      { name: 'page', events: 3, partition: '0', offset: 6n },
    ],
    otherIgnoredFields: 0,
    lastBatch: { records: 1, milliseconds: 1 },
  });
  const many = Array.from({ length: maxIgnoredNames }, (_, at) => field(`f${at}`, 1, 9n));
  applied('1', many, 5);
  const { ignoredFields, otherIgnoredFields } = status.read();
  expect(ignoredFields).toHaveLength(maxIgnoredNames);
  expect(otherIgnoredFields).toBe(5 + 2);
  applied('0', [field('page', 10, 20n), field('new', 1, 21n)]);
  expect(status.read()).toMatchObject({ otherIgnoredFields: 8 });
  expect(status.read().ignoredFields[0]).toEqual({ name: 'page', events: 13, partition: '0', offset: 20n });
});
