/** What is freed of keys that get no more events, and what stays (rule 6.9). */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createOnlineSchemas } from '../../src/online/encoding/schemas.ts';
import { openLmdbStore } from '../../src/online/lmdb-store.ts';
import { createOnlineReader } from '../../src/online/retrieve/reader.ts';
import type { OnlineStore } from '../../src/online/store.ts';
import { type SweepOptions, sweepStates } from '../../src/online/windows/sweep-states.ts';
import { compileWindowLookup } from '../../src/online/windows/window-lookup.ts';
import { compileWindowView, type WindowView } from '../../src/online/windows/window-view.ts';
import { createEventWriter } from '../../src/online/windows/write-events.ts';
import type { RegistryDocument, ViewDocument } from '../../src/registry/document.ts';

const startUs = 1_773_144_000_000_000n;
const hourUs = 3_600_000_000n;

interface ViewShape {
  readonly name?: string;
  readonly gap?: string;
  /** Counts by name, with the hash of their definition. */
  readonly features: Readonly<Record<string, string>>;
}

function viewOf({ name = 'activity', gap, features }: ViewShape): WindowView {
  const document = {
    ...{ name, kind: 'stream', entities: ['user'], source: 'clicks', asKnown: false, tags: {}, file: 'a.ts' },
    keys: [{ name: 'user_id', type: 'int64', column: 'user_id' }],
    ...(gap === undefined ? {} : { session: { gap } }),
    features: Object.entries(features).map(([feature, hash]) => ({
      ...{ name: feature, hash, type: 'int64', column: '' },
      aggregate: gap === undefined ? { function: 'count', window: '1h', hop: '5m' } : { function: 'count' },
    })),
  } as unknown as ViewDocument;
  const entities = [{ name: 'user', joinKeys: [{ name: 'user_id', type: 'int64' }], tags: {}, file: '' }];
  return compileWindowView(document, entities as RegistryDocument['entities']);
}

let root: string;
let store: OnlineStore;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'featherflight-sweep-'));
  store = openLmdbStore(root);
});
afterEach(async () => {
  await store.close();
  rmSync(root, { recursive: true, force: true });
});

const scope = () => ({ store, project: 'test', schemas: createOnlineSchemas(store, 'test') });

/** One event a key at the start, applied some time later. */
async function apply(view: WindowView, keys: readonly bigint[], nowUs = startUs + 120_000_000n): Promise<void> {
  await createEventWriter(scope()).apply({
    ...{ partition: 'p', next: BigInt(keys.length), nowUs, acceptedFromUs: undefined },
    isCommitted: () => false,
    readCommitted: async () => 0n,
    events: [{ view, keys: [keys], timesUs: keys.map(() => startUs), offsets: keys.map((_, at) => BigInt(at)), values: [] }],
  });
}

function sweep(views: readonly WindowView[], options: Partial<SweepOptions>) {
  const given = { nowUs: startUs, acceptedFromUs: () => undefined, isCommitted: () => true, ...options };
  return sweepStates(scope(), views, given);
}

async function read(view: WindowView, nowUs: bigint): Promise<readonly unknown[]> {
  const lookup = compileWindowLookup(
    view,
    view.features.map(({ name }) => name),
  );
  const { rows } = await createOnlineReader(store, 'test').read([{ lookup, entities: [[1n], [2n]] }], nowUs);
  return (rows[0] ?? []).map((row) => row?.values);
}

test('windows go when they have left every clock, with the fences that are committed', async () => {
  const view = viewOf({ features: { a: '1' } });
  await apply(view, [1n, 2n]);
  const within = startUs + hourUs - 1n;
  // Fences alone.
  expect(await sweep([view], { nowUs: within })).toMatchObject({ keys: 2 });
  expect(await sweep([view], { nowUs: within })).toEqual({ keys: 0, bytes: 0 });
  expect(await read(view, within)).toEqual([[1n], [1n]]);
  expect(await sweep([view], { nowUs: startUs + 2n * hourUs })).toMatchObject({ keys: 2 });
  expect(await sweep([view], { nowUs: startUs + 2n * hourUs })).toEqual({ keys: 0, bytes: 0 });
});

test('a fence that is not committed stays: its events may come again', async () => {
  const view = viewOf({ features: { a: '1' } });
  await apply(view, [1n]);
  const late = { nowUs: startUs + 2n * hourUs, isCommitted: () => false };
  await sweep([view], late);
  await apply(view, [1n]);
  expect(await read(view, startUs + 130_000_000n)).toEqual([[0n], [0n]]);
  await sweep([view], { ...late, isCommitted: (of, partition, next) => of === 'activity' && partition === 'p' && next === 1n });
  await apply(view, [1n]);
  expect(await read(view, startUs + 130_000_000n)).toEqual([[1n], [0n]]);
});

test('sessions stay as long as a late event may belong to them or they may be the current one', async () => {
  const view = viewOf({ gap: '5m', features: { a: '1' } });
  await apply(view, [1n]);
  await sweep([view], { nowUs: startUs + 120_000_000n });
  const gapUs = hourUs / 12n;
  const nowUs = startUs + 24n * hourUs;
  for (const fromUs of [undefined, startUs, startUs + gapUs]) {
    expect(await sweep([view], { nowUs, acceptedFromUs: () => fromUs })).toEqual({ keys: 0, bytes: 0 });
  }
  const current = startUs + gapUs + 60_000_000n;
  expect(await sweep([view], { nowUs: current, acceptedFromUs: () => nowUs })).toEqual({ keys: 0, bytes: 0 });
  expect(await sweep([view], { nowUs, acceptedFromUs: () => startUs + gapUs + 1n })).toMatchObject({ keys: 1 });
  expect(await read(view, startUs + gapUs)).toEqual([[0n], [0n]]);
});

test('of the views named former definitions go, and views that are not named keep all', async () => {
  const other = viewOf({ name: 'other', features: { a: '1' } });
  const before = viewOf({ features: { a: '1', b: '1' } });
  const now = viewOf({ features: { a: '2', b: '1' } });
  await apply(other, [1n]);
  await apply(before, [1n]);
  const nowUs = startUs + 130_000_000n;
  expect(await sweep([now], { nowUs })).toMatchObject({ keys: 1 });
  expect(await read(before, nowUs)).toEqual([
    [0n, 1n],
    [0n, 0n],
  ]);
  expect(await read(other, nowUs)).toEqual([[1n], [0n]]);
});
