/** The right to erasure over an event source (rule 8.4): what streams and pushes brought is gone by the keys of its stream views. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createErasures, type Erasures } from '../../src/materialize/erase.ts';
import { createErasedRows } from '../../src/materialize/erased-rows.ts';
import type { Archive } from '../../src/offline/archive/archive.ts';
import type { History } from '../../src/offline/history.ts';
import { openLmdbStore } from '../../src/online/lmdb-store.ts';
import type { OnlineStore } from '../../src/online/store.ts';
import { createErasureIndex } from '../../src/online/write/erasure-index.ts';
import type { RegistryDocument } from '../../src/registry/document.ts';
import { activity, archiveEvents, type Click, clicks, rowsOf } from '../offline/events/clicks.ts';
import { openTestHistory } from '../support/answer-with-engine.ts';

const registry: RegistryDocument = {
  ...{ format: 1, project: 'shop', version: 1, appliedAt: '2026-03-10T12:00:00Z', services: [] },
  entities: [{ name: 'user', tags: {}, file: 'a.ts', joinKeys: [{ name: 'user_id', type: 'int64' }] }],
  sources: [clicks],
  views: [activity],
};

let root: string;
let history: History;
let archive: Archive;
let store: OnlineStore;
let erasures: Erasures;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'erase-events-'));
  store = openLmdbStore(join(root, 'online'));
  const readErased = createErasedRows({ store: () => store, registry: () => registry });
  history = await openTestHistory(root, { archiveDirectory: join(root, 'archive'), readErased });
  archive = history.archive as Archive;
  erasures = createErasures({ history, store, registry: () => registry });
});
afterEach(async () => {
  await history.close();
  await store.close();
  rmSync(root, { recursive: true, force: true });
});

let offset = 0n;
const click = (user: bigint): Click => ({ atUs: offset, user, kind: 'view', n: offset, x: null, id: null });

async function take(...users: readonly bigint[]): Promise<void> {
  const first = offset;
  const events = users.map((user) => {
    const event = click(user);
    offset += 1n;
    return event;
  });
  const offsets = events.map((_, at) => first + BigInt(at));
  expect(await archiveEvents(archive, clicks, events, offsets, '0')).toBe(true);
}

/** The users of the events that a backfill reads, and how many rows training has. */
async function users(): Promise<readonly unknown[]> {
  const signal = new AbortController().signal;
  const rows = [];
  for await (const chunk of history.scanEvents(activity, clicks, {}, signal)) rows.push(...rowsOf(chunk));
  const projection = await history.openProjection(activity, clicks, signal);
  expect(projection.rows).toBe(rows.length);
  projection.release();
  return rows.map(([user]) => user);
}

test('an erased user is in no event of training, backfill and disk, and events that come later are not kept until it is lifted', async () => {
  await take(1n, 2n, 1n);
  await take(1n);
  await archive.setAside.keep(clicks, {
    ...{ partition: '0', from: 9n, to: 10n, clockUs: 1n },
    events: [{ offset: 9n, reason: 'no JSON', value: Buffer.from('user 1') }],
  });
  expect(await users()).toEqual([1n, 1n, 1n, 2n]);
  const report = await erasures.erase('user', { user_id: 1 });
  expect(report.archives).toEqual([{ source: 'clicks', files: 2, rows: 3 }]);
  expect(report.foreign).toEqual([]);
  const [erasure] = await createErasureIndex(store, 'shop').read();
  expect(erasure?.removed).toEqual({ clicks: { rows: 3, timesUs: [0n, 3n] } });
  expect((await archive.setAside.list('clicks', { limit: 10 })).total).toBe(0);
  expect(await users()).toEqual([2n]);
  await take(1n, 3n);
  expect(await users()).toEqual([2n, 3n]);
  const files = (await archive.files('clicks')).map((file) => `'${file}'`).join(', ');
  const stored = await history.engine.session(undefined, (session) =>
    session.rows(`select distinct user_id from read_parquet([${files}]) order by 1`),
  );
  expect(stored).toEqual([{ user_id: 2n }, { user_id: 3n }]);
  await erasures.lift('user', { user_id: 1 });
  expect(await users()).toEqual([2n, 3n]);
  await take(1n);
  expect(await users()).toEqual([1n, 2n, 3n]);
});
