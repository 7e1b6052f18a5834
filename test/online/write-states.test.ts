/** States made of history beside what stands at a key: other features stay, erased entities stay away (rules 8.3, 8.4). */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { JoinKey } from '../../src/online/encoding/keys.ts';
import { createOnlineSchemas } from '../../src/online/encoding/schemas.ts';
import { openLmdbStore } from '../../src/online/lmdb-store.ts';
import { createOnlineReader } from '../../src/online/retrieve/reader.ts';
import type { OnlineStore } from '../../src/online/store.ts';
import { addEvent, createState } from '../../src/online/windows/state.ts';
import { compileWindowLookup } from '../../src/online/windows/window-lookup.ts';
import { compileWindowView, type WindowView } from '../../src/online/windows/window-view.ts';
import { openStateWriter } from '../../src/online/windows/write-states.ts';
import { eraseEntity, liftErasure } from '../../src/online/write/erase.ts';
import type { RegistryDocument, ViewDocument } from '../../src/registry/document.ts';

const nowUs = 1_773_144_000_000_000n;
const described = { tags: {}, file: 'a.ts' };
const entities = [
  { ...described, name: 'user', joinKeys: [{ name: 'user_id', type: 'int64' }] },
  { ...described, name: 'item', joinKeys: [{ name: 'item_id', type: 'int64' }] },
] as unknown as RegistryDocument['entities'];

/** Counts of pairs of user and item over a day, one a feature. */
function viewOf(features: Readonly<Record<string, string>>): WindowView {
  const document = {
    ...{ ...described, name: 'pairs', kind: 'stream', entities: ['user', 'item'], source: 'clicks', asKnown: false },
    keys: ['user_id', 'item_id'].map((name) => ({ name, type: 'int64', column: name })),
    features: Object.entries(features).map(([name, hash]) => ({
      ...{ ...described, name, hash, type: 'int64', column: '' },
      aggregate: { function: 'count', window: '1d', hop: '1h' },
    })),
  } as unknown as ViewDocument;
  return compileWindowView(document, entities);
}

let root: string;
let store: OnlineStore;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'featherflight-states-'));
  store = openLmdbStore(root);
});
afterEach(async () => {
  await store.close();
  rmSync(root, { recursive: true, force: true });
});

const scopeOf = (own: OnlineStore) => ({ store: own, project: 'test', schemas: createOnlineSchemas(own, 'test') });

/** Of one pair; the state is that of so many events. */
async function write(view: WindowView, names: readonly string[], events: number, own = store): Promise<void> {
  const filled = view.features.filter(({ name }) => names.includes(name));
  const state = createState({ ...view, features: filled });
  for (let at = 0; at < events; at++) {
    addEvent({ ...view, features: filled }, state, { timeUs: nowUs - 3_600_000_000n, values: [] }, nowUs);
  }
  await (await openStateWriter(scopeOf(own), view, filled)).write([{ keys: [1n, 2n], state }]);
}

/** The counts of the pair; null is NOT_FOUND. */
async function read(view: WindowView): Promise<unknown> {
  const names = view.features.map(({ name }) => name);
  const wanted = { lookup: compileWindowLookup(view, names), entities: [[1n, 2n]] };
  const { rows } = await createOnlineReader(store, 'test').read([wanted], nowUs);
  return rows[0]?.[0]?.values;
}

const user: JoinKey[] = [{ name: 'user_id', type: 'int64' }];

test('a feature that is added later stands beside those that are there, and replaces its own state alone', async () => {
  const view = viewOf({ a: '1', b: '1', c: '1' });
  await write(view, ['a', 'b'], 2);
  await write(view, ['c'], 3);
  expect(await read(view)).toEqual([2n, 2n, 3n]);
  await write(view, ['b'], 5);
  expect(await read(view)).toEqual([2n, 5n, 3n]);
  await write(view, ['a', 'b', 'c'], 7);
  expect(await read(view)).toEqual([7n, 7n, 7n]);
});

test('a state without events takes the place of one with some', async () => {
  const view = viewOf({ a: '1', b: '1' });
  await write(view, ['a', 'b'], 2);
  await write(view, ['a'], 0);
  expect(await read(view)).toEqual([0n, 2n]);
  await write(view, ['b'], 0);
  expect(await read(view)).toEqual([0n, 0n]);
});

test('a state of another definition is not that of the feature', async () => {
  await write(viewOf({ a: '1' }), ['a'], 2);
  const view = viewOf({ a: '2' });
  expect(await read(view)).toEqual([0n]);
  await write(view, ['a'], 3);
  expect(await read(view)).toEqual([3n]);
});

test('nothing is written of a pair whose user is erased, before or while it is written', async () => {
  const view = viewOf({ a: '1' });
  await eraseEntity(scopeOf(store), user, [1n], nowUs);
  await write(view, ['a'], 2);
  expect(await read(view)).toEqual([0n]);
  await liftErasure(scopeOf(store), user, [1n]);
  let erased = false;
  const racing: OnlineStore = {
    ...store,
    async replace(replacements, signal) {
      const isState = replacements.some(({ key }) => Buffer.from(key).includes('item_id'));
      if (isState && !erased) {
        erased = true;
        await eraseEntity(scopeOf(store), user, [1n], nowUs);
      }
      return await store.replace(replacements, signal);
    },
  };
  await write(view, ['a'], 2, racing);
  expect(erased).toBe(true);
  expect(await read(view)).toEqual([0n]);
});
