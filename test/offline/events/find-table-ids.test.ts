/** Ids of a stream's events that stand in tables of history already (rule 6.1). */
import { afterEach, expect, test } from 'vitest';
import type { LiteralValue } from '../../../src/definitions/literal.ts';
import { noonUs, openClicks, sourceOf } from '../../stream/open-clicks.ts';

let clicks: Awaited<ReturnType<typeof openClicks>>;
afterEach(() => clicks.close());

const find = async (ids: readonly LiteralValue[]) => {
  const registry = await clicks.apply({ hour: '1h' });
  return [...(await clicks.history.findTableIds(sourceOf(registry), ids, clicks.signal))].sort();
};

test('places of ids in any table; nulls are nowhere, and quotes are text', async () => {
  clicks = await openClicks({ eventId: 'id', past: [`a`, `o'b`, `x`].map((id) => ({ id, user: 1, at: noonUs })) });
  clicks.land('more', [
    { id: 'c', user: null, at: noonUs },
    { user: 1, at: noonUs },
  ]);
  expect(await find([null, 'c', 'b', `o'b`, 'a', 'a', 'A'])).toEqual([1, 3, 4, 5]);
  expect(await find([])).toEqual([]);
  expect(await find([null])).toEqual([]);
});

test('what only the archive holds is in no table, and a source without tables or ids has none', async () => {
  clicks = await openClicks({ eventId: 'id' });
  expect(await find(['a'])).toEqual([]);
  await clicks.close();
  clicks = await openClicks({ past: [{ id: 'a', user: 1, at: noonUs }] });
  expect(await find(['a'])).toEqual([]);
});
