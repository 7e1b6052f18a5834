/** The part that each row falls into, against what is drawn by hand. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type Field, field } from '../../src/arrow/schema.ts';
import { parseDatasetRequest, type Split } from '../../src/dataset/request.ts';
import { compileSplit } from '../../src/dataset/split.ts';
import { dayUs, firstUs, frameOf, instant, int64 } from '../support/dataset-shop.ts';

const options = { timestamp: 'event_timestamp', timezone: undefined };

/** The part of each row, whatever the size of the batches. */
async function assign(split: unknown, columns: readonly (readonly [Field, readonly unknown[]])[], batchRows: number) {
  const { split: parsed } = parseDatasetRequest({ name: 'x', features: ['a:b'], upload: 'x', split });
  const frame = frameOf(columns, batchRows);
  const run = compileSplit(parsed as Split, frame.schema, options);
  const parts: number[] = [];
  for await (const batch of frame.batches(1, new AbortController().signal)) parts.push(...run(batch, parts.length));
  return parts;
}

/** The draw as the documentation has it, in its own words. */
function draw(shares: readonly number[], what: readonly unknown[]): number {
  const digest = createHash('sha256').update(JSON.stringify(what)).digest('hex').slice(0, 12);
  const drawn = Number(BigInt(`0x${digest}`)) / 2 ** 48;
  let end = 0;
  for (const [part, share] of shares.entries()) {
    end += share;
    if (drawn < end) return part;
  }
  return shares.length - 1;
}

describe('compileSplit', () => {
  const rows = Array.from({ length: 3000 }, (_, row) => row);
  const users: readonly [Field, readonly unknown[]] = [field('user_id', int64), rows.map((row) => BigInt((row * 7919) % 400))];
  const cities: readonly [Field, readonly unknown[]] = [field('city', { id: 'utf8' }), rows.map((row) => `city "${row % 13}"`)];
  const times: readonly [Field, readonly unknown[]] = [
    field('event_timestamp', instant),
    rows.map((row) => firstUs + BigInt((row * 104_729) % 3000) * (dayUs / 100n)),
  ];
  const columns = [users, cities, times];

  it.each([1, 7, 1000, 3000])('gives each row one part, whatever the batches: %i rows', async (batchRows) => {
    const parts = { train: 0.7, valid: 0.2, test: 0.1 };
    const shares = Object.values(parts);
    for (const seed of [0, 7, 2 ** 40]) {
      const random = await assign({ random: { parts, seed } }, columns, batchRows);
      expect(random).toEqual(rows.map((row) => draw(shares, [seed, row])));
      const entity = await assign({ entity: { keys: ['user_id', 'city'], parts, seed } }, columns, batchRows);
      expect(entity).toEqual(rows.map((row) => draw(shares, [seed, String(users[1][row]), String(cities[1][row])])));
    }
  });

  it('keeps an entity in one part, and shares near those asked for', async () => {
    const parts = await assign({ entity: { keys: ['user_id'], parts: { a: 0.5, b: 0.5 } } }, columns, 500);
    const byUser = new Map<unknown, Set<number>>();
    for (const [row, part] of parts.entries()) {
      const user = users[1][row];
      byUser.set(user, (byUser.get(user) ?? new Set()).add(part));
    }
    expect([...byUser.values()].every((seen) => seen.size === 1)).toBe(true);
    const share = parts.filter((part) => part === 0).length / parts.length;
    expect(share).toBeGreaterThan(0.4);
    expect(share).toBeLessThan(0.6);
  });

  it('takes a row before an instant into the part of it, and not one at it', async () => {
    const boundaries = [
      { name: 'train', until: '2026-03-11T00:00:00Z' },
      { name: 'valid', until: '2026-03-21T02:00:00+02:00' },
      { name: 'test' },
    ];
    const parts = await assign({ time: { boundaries } }, columns, 333);
    const untils = [firstUs + 10n * dayUs, firstUs + 20n * dayUs];
    expect(parts).toEqual(times[1].map((us) => untils.filter((until) => (us as bigint) >= until).length));
    const exact: readonly [Field, readonly unknown[]] = [field('at', instant), [untils[0], (untils[0] as bigint) - 1n]];
    expect(await assign({ time: { column: 'at', boundaries } }, [exact], 2)).toEqual([1, 0]);
  });

  it('refuses a row without a key, by its number', async () => {
    const keys: readonly [Field, readonly unknown[]] = [field('user_id', int64), [1n, 2n, null]];
    await expect(assign({ entity: { keys: ['user_id'], parts: { a: 1 } } }, [keys], 2)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      details: { column: 'user_id', row: 2 },
    });
  });
});
