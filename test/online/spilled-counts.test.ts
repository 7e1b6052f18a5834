/** What is told of states that have spilled: how many there are, the log of a fill, and what is lost of them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { LiteralValue } from '../../src/definitions/literal.ts';
import { encodeEntityKey } from '../../src/online/encoding/keys.ts';
import { createOnlineSchemas } from '../../src/online/encoding/schemas.ts';
import { openLmdbStore } from '../../src/online/lmdb-store.ts';
import { createOnlineRecords } from '../../src/online/records.ts';
import { changeWholes } from '../../src/online/spill/change-wholes.ts';
import { encodeSideKey } from '../../src/online/spill/side-key.ts';
import { addSpilledKeys, readSpilledViews, writeSpilledKeys } from '../../src/online/spill/spilled-views.ts';
import { createSpillTally } from '../../src/online/spill/tell-spilled.ts';
import type { OnlineStore } from '../../src/online/store.ts';
import { addEvent, createState, settle } from '../../src/online/windows/state.ts';
import { sweepStates } from '../../src/online/windows/sweep-states.ts';
import { compileWindowView, type WindowView } from '../../src/online/windows/window-view.ts';
import { createEventWriter } from '../../src/online/windows/write-events.ts';
import { type KeyState, openStateWriter } from '../../src/online/windows/write-states.ts';
import type { RegistryDocument, ViewDocument } from '../../src/registry/document.ts';

const startUs = 1_773_144_000_000_000n;
const nowUs = startUs + 180_000_000n;
const joinKeys = [{ name: 'user_id', type: 'int64' }] as const;

/** The last 50 numbers of a user: 50 of them spill. */
function viewOf(maxStateBytes: number): WindowView {
  const value = { text: 'n', tree: { kind: 'column', name: 'n', type: { kind: 'int64' } } };
  const document = {
    ...{ name: 'activity', kind: 'stream', entities: ['user'], source: 'clicks', asKnown: false, tags: {}, file: 'a.ts' },
    keys: [{ ...joinKeys[0], column: 'user_id' }],
    features: [
      {
        ...{ name: 'last', hash: '1', type: 'list(int64)', column: '' },
        aggregate: { function: 'last_n', value, window: '1h', hop: '1h', size: 50 },
      },
    ],
  } as unknown as ViewDocument;
  const entities = [{ name: 'user', joinKeys, tags: {}, file: '' }] as unknown as RegistryDocument['entities'];
  return compileWindowView(document, entities, maxStateBytes);
}

const view = viewOf(200);

let root: string;
let store: OnlineStore;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'featherflight-spilled-'));
  store = openLmdbStore(root);
});
afterEach(async () => {
  await store.close();
  rmSync(root, { recursive: true, force: true });
});

const scope = (own = store) => ({ store: own, project: 'test', schemas: createOnlineSchemas(own, 'test') });
const readCount = async () => (await readSpilledViews(createOnlineRecords(store, 'test'), ['activity']))[0]?.keys;
const sideOf = (user: bigint) => encodeSideKey('test', 'activity', encodeEntityKey('test', joinKeys, [user]));

/** 50 events of each user. */
async function apply(users: readonly bigint[], first: bigint, own = store): Promise<void> {
  const keys = users.flatMap((user) => Array.from({ length: 50 }, () => user));
  const counts = await createEventWriter(scope(own)).apply({
    ...{ partition: 'p', next: first + BigInt(keys.length), nowUs, acceptedFromUs: undefined },
    isCommitted: () => false,
    readCommitted: async () => first,
    events: [
      {
        ...{ view, keys: [keys], timesUs: keys.map((_, at) => startUs + BigInt(at)), values: [keys.map((_, at) => BigInt(at))] },
        offsets: keys.map((_, at) => first + BigInt(at)),
      },
    ],
  });
  expect(counts).toMatchObject({ keys: users.length, applied: keys.length, known: 0, oversized: users.length });
}

function filled(user: bigint): KeyState {
  const state = createState(view);
  for (let n = 0n; n < 50n; n++) addEvent(view, state, { timeUs: startUs + n, values: [n] as LiteralValue[] }, nowUs);
  settle(view, state, nowUs, undefined);
  return { keys: [user], state };
}

const sweep = (own = store) =>
  sweepStates(scope(own), [view], { nowUs, acceptedFromUs: () => undefined, isCommitted: () => true });

test('states that spill by events and by fills are counted at once, each once, and looked at hourly', async () => {
  await apply([1n, 2n], 0n);
  expect(await readCount()).toBe(2);
  await apply([1n, 3n], 100n);
  expect(await readCount()).toBe(3);
  const writer = await openStateWriter(scope(), view, view.features);
  expect((await writer.write([filled(3n), filled(4n)])).map(({ bytes, ...one }) => [one.view, bytes > 200])).toEqual([
    ['activity', true],
  ]);
  expect(await readCount()).toBe(4);
  await writer.write([{ keys: [1n], state: createState(view) }]);
  expect(await sweep()).not.toHaveProperty('lost');
  expect(await readCount()).toBe(3);
});

test('what spills while somebody looks at all keys stays counted', async () => {
  const records = createOnlineRecords(store, 'test');
  await addSpilledKeys(records, new Map([['activity', 5]]));
  await addSpilledKeys(records, new Map([['activity', 0]]));
  expect(await readCount()).toBe(5);
  await addSpilledKeys(records, new Map([['activity', 1]]));
  await writeSpilledKeys(records, 'activity', { found: 0, before: 5 });
  expect(await readCount()).toBe(1);
  await writeSpilledKeys(records, 'activity', { found: 0, before: 1 });
  expect(await readCount()).toBeUndefined();
});

test('a fill says in one line what has spilled of a view, without naming anybody', async () => {
  const writer = await openStateWriter(scope(), view, view.features);
  const tally = createSpillTally();
  for (let user = 0n; user < 20n; user += 2n) tally.add(await writer.write([filled(user), filled(user + 1n)]));
  const lines: { view: string; keys: number; bytes: number; digests: string[] }[] = [];
  const tell = { debug() {}, info() {}, error() {}, warn: (fields: object) => void lines.push(fields as (typeof lines)[number]) };
  tally.warn(tell);
  tally.warn(tell);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({ view: 'activity', keys: 20 });
  expect(lines[0]?.bytes).toBeGreaterThan(200);
  expect(lines[0]?.digests).toHaveLength(5);
});

test('a state that is gone is left as it is by a sweep, which says so and frees all others', async () => {
  await apply([1n, 2n, 3n], 0n);
  const [value] = await store.read([sideOf(2n)]);
  await store.replace([{ key: sideOf(2n), expected: value, value: undefined }]);
  // The fences of the two others go.
  expect(await sweep()).toMatchObject({ keys: 2, lost: { activity: 1 } });
  expect(await sweep()).toMatchObject({ keys: 0, lost: { activity: 1 } });
  expect(await readCount()).toBe(3);
});

test('however many keys have spilled, few of their states are in memory at once', async () => {
  const users = Array.from({ length: 100 }, (_, at) => BigInt(at));
  await apply(users, 0n);
  let most = 0;
  const sides = new Set(users.map((user) => sideOf(user).toString('hex')));
  const counted: OnlineStore = {
    ...store,
    read(keys, signal) {
      most = Math.max(most, keys.filter((key) => sides.has(Buffer.from(key).toString('hex'))).length);
      return store.read(keys, signal);
    },
  };
  await apply(users, 5000n, counted);
  expect(most).toBe(16);
  expect(await sweep(counted)).toMatchObject({ keys: 100 });
  expect(most).toBe(16);
  expect(await readCount()).toBe(100);
  let seen = 0;
  const keys = users.map((user) => encodeEntityKey('test', joinKeys, [user]));
  const change = {
    store,
    project: 'test',
    views: [view],
    lost: 'refused' as const,
    learn: async () => {},
    viewOf: () => 'activity',
  };
  await changeWholes({ ...change, change: (whole) => whole }, keys, () => void seen++);
  expect(seen).toBe(100);
});
