import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { encodeEntityKey } from '../../src/online/encoding/keys.ts';
import { openLmdbStore } from '../../src/online/lmdb-store.ts';
import type { OnlineStore } from '../../src/online/store.ts';
import { compileOnlineView } from '../../src/online/view.ts';
import { createOnlineWriter } from '../../src/online/write/writer.ts';
import type { ViewDocument } from '../../src/registry/document.ts';
import { documentOf, startUs } from './draw-online.ts';

const folder = mkdtempSync(join(tmpdir(), 'featherflight-erase-'));
const store = openLmdbStore(folder);
afterAll(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const options = { delayUs: 0n, ttlUs: 0n, hasAvailable: false, hasCreated: false, asKnown: false };
const document = documentOf(
  [
    ['profile', 'user_id'],
    ['taste', 'item', 'user_id'],
  ].map(([name = '', ...keys]) => ({
    ...options,
    name,
    keys,
    features: [{ name: 'f', type: { kind: 'int64' }, hash: name }],
  })),
);
const [profile, taste] = document.views.map((view) => compileOnlineView(view as ViewDocument, document)) as [
  ReturnType<typeof compileOnlineView>,
  ReturnType<typeof compileOnlineView>,
];
const user = [{ name: 'user_id', type: 'int64' }] as const;
const row = { eventUs: startUs, createdUs: null, availableUs: null, pushed: false, values: [1n] };

/** The store, with something that happens between the first look at a write's keys and its replacement. */
function interrupted(between: () => Promise<unknown>): OnlineStore {
  let pending: (() => Promise<unknown>) | undefined = between;
  return {
    ...store,
    replace: async (replacements, signal) => {
      const isRow = replacements.some(({ key }) => !Buffer.from(key).includes('\0\x01'));
      const first = isRow ? pending : undefined;
      if (isRow) pending = undefined;
      await first?.();
      return await store.replace(replacements, signal);
    },
  };
}

describe('erasing an entity (rule 8.4)', () => {
  it('reports the rows of every view and composite key, and refuses new ones until it is lifted', async () => {
    const writer = createOnlineWriter(store, 'whole');
    const long = 'x'.repeat(100);
    await writer.write(
      profile,
      [
        { keys: [1n], row },
        { keys: [2n], row },
      ],
      startUs,
    );
    await writer.write(
      taste,
      [
        { keys: ['a', 1n], row },
        { keys: [long, 1n], row },
        { keys: ['a', 2n], row },
      ],
      startUs,
    );
    expect(await writer.erase(user, [1n], startUs)).toEqual({ keys: 3, rows: { profile: 1, taste: 2 } });
    expect(await writer.erase(user, [1n], startUs + 9n)).toEqual({ keys: 0, rows: {} });
    expect(await writer.readErasures(user, [[1n], [2n], [null]])).toEqual([startUs, undefined, undefined]);
    expect(
      await writer.write(
        taste,
        [
          { keys: ['b', 1n], row },
          { keys: ['b', 2n], row },
          { keys: [null, 1n], row },
        ],
        startUs,
      ),
    ).toEqual({
      written: 1,
      unchanged: 0,
      erased: 1,
      ignored: 1,
    });
    expect(await writer.lift(user, [1n])).toBe(true);
    expect(await writer.lift(user, [1n])).toBe(false);
    expect((await writer.write(taste, [{ keys: ['b', 1n], row }], startUs)).written).toBe(1);
  });

  it('holds against a writer that had looked before, at its own key and at a composite one', async () => {
    const eraser = createOnlineWriter(store, 'raced');
    for (const [view, keys] of [
      [profile, [5n]],
      [taste, ['a', 6n]],
    ] as const) {
      const erased = keys.at(-1) as bigint;
      const writer = createOnlineWriter(
        interrupted(() => eraser.erase(user, [erased], startUs)),
        'raced',
      );
      expect(await writer.write(view, [{ keys, row }], startUs)).toEqual({ written: 0, unchanged: 0, erased: 1, ignored: 0 });
      const [value] = await store.read([encodeEntityKey('raced', view.joinKeys, keys)]);
      expect(value?.length ?? 0).toBe(view === profile ? 14 : 0);
    }
  });

  it('is finished by the next write, where a writer died between its write and its second look', async () => {
    const eraser = createOnlineWriter(store, 'died');
    const writer = createOnlineWriter({ ...interrupted(() => eraser.erase(user, [7n], startUs)), read: dyingRead() }, 'died');
    await expect(writer.write(taste, [{ keys: ['a', 7n], row }], startUs)).rejects.toThrow('died');
    const key = encodeEntityKey('died', taste.joinKeys, ['a', 7n]);
    expect((await store.read([key]))[0]).toBeDefined();
    expect((await eraser.write(taste, [{ keys: ['a', 7n], row }], startUs)).erased).toBe(1);
    expect(await store.read([key])).toEqual([undefined]);
  });
});

/** Reads the schema and the keys, and no more. */
function dyingRead(): OnlineStore['read'] {
  let reads = 0;
  return async (keys, signal) => {
    if (reads++ === 2) throw new Error('died');
    return await store.read(keys, signal);
  };
}
