/** What every online store must do: the same tests for LMDB, Redis, Valkey and Cluster. */
import { randomBytes, randomInt } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { entityPrefix } from '../../src/online/encoding/keys.ts';
import { encodeSideKey } from '../../src/online/spill/side-key.ts';
import type { OnlineStore, Replacement } from '../../src/online/store.ts';

/** `open` gives another connection to the same data each time; each test has keys of its own. */
export function describeStore(name: string, open: () => OnlineStore | Promise<OnlineStore>): void {
  describe(`${name} as an online store`, () => {
    let store: OnlineStore;
    const opened: OnlineStore[] = [];
    const connect = async () => {
      const connection = await open();
      opened.push(connection);
      return connection;
    };
    beforeAll(async () => {
      store = await connect();
    });
    afterAll(async () => {
      for (const connection of opened) await connection.close();
    });

    it('answers in the order of the keys, undefined where there is none, as often as a key is named', async () => {
      const [a, b, c] = namedKeys('a', 'b', 'c');
      await put(store, [a, text('1')], [b, text('2')]);
      const values = await store.read([b, c, a, b, c, a]);
      expect(values.map(asText)).toEqual(['2', undefined, '1', '2', undefined, '1']);
      expect(await store.read([])).toEqual([]);
    });

    it('keeps keys and values of any bytes, and tells an empty value from none', async () => {
      const prefix = randomBytes(8);
      const tails = [[0], [0, 0], [255], [10, 13], [123, 97, 125], Array.from({ length: 256 }, (_, byte) => byte)];
      const keys = tails.map((tail) => Buffer.concat([prefix, Buffer.from(tail)]));
      const values = [...tails.slice(1).map((tail) => Buffer.from(tail)), Buffer.alloc(0)];
      await put(store, ...keys.map((key, at) => [key, values[at] as Buffer] as const));
      expect((await store.read([...keys, prefix])).map(asHex)).toEqual([...values.map(asHex), undefined]);
    });

    it('gives values that stay as they are, whatever is read or written afterwards', async () => {
      const [a, b] = namedKeys('a', 'b');
      await put(store, [a, text('first')], [b, text('other')]);
      const [value] = await store.read([a]);
      await store.replace([{ key: a, expected: text('first'), value: text('later') }]);
      await store.read([b, a]);
      expect(asText(value)).toBe('first');
    });

    it('reads and replaces 10,000 keys at once', async () => {
      const prefix = randomBytes(8);
      const keys = Array.from({ length: 10_000 }, (_, at) => Buffer.concat([prefix, Buffer.from(`key ${at}`)]));
      await put(store, ...keys.map((key, at) => [key, text(`value ${at}`)] as const));
      const values = await store.read(keys.toReversed());
      expect(values.map(asText)).toEqual(keys.map((_, at) => `value ${at}`).toReversed());
      expect(await store.replace(keys.map((key, at) => ({ key, expected: text(`value ${at}`), value: undefined })))).toEqual([]);
      expect((await store.read(keys)).every((value) => value === undefined)).toBe(true);
    });

    it('keeps values of 1 MiB, also as what is expected', async () => {
      const [key] = namedKeys('large');
      const large = randomBytes(1 << 20);
      await put(store, [key, large]);
      expect(asHex((await store.read([key]))[0])).toBe(asHex(large));
      const other = Buffer.from(large);
      other[other.length - 1] = (other.at(-1) as number) ^ 1;
      expect(await store.replace([{ key, expected: other, value: text('no') }])).toEqual([0]);
      expect(await store.replace([{ key, expected: large, value: other }])).toEqual([]);
      expect(asHex((await store.read([key]))[0])).toBe(asHex(other));
    });

    it('replaces only what is as expected, and says which were not', async () => {
      const [a, b, c, d, e] = namedKeys('a', 'b', 'c', 'd', 'e');
      await put(store, [a, text('1')], [b, text('2')], [e, Buffer.alloc(0)]);
      const lost = await store.replace([
        { key: a, expected: text('1'), value: text('10') },
        { key: b, expected: text('1'), value: text('20') },
        { key: c, expected: undefined, value: text('30') },
        { key: d, expected: text('4'), value: text('40') },
        { key: e, expected: undefined, value: text('50') },
      ]);
      expect(lost).toEqual([1, 3, 4]);
      expect((await store.read([a, b, c, d, e])).map(asText)).toEqual(['10', '2', '30', undefined, '']);
      expect(await store.replace([])).toEqual([]);
    });

    it('replaces from and to an empty value, and removes', async () => {
      const [a] = namedKeys('a');
      const empty = Buffer.alloc(0);
      const steps: [Buffer | undefined, Buffer | undefined, number[]][] = [
        [empty, text('x'), [0]],
        [undefined, empty, []],
        [undefined, text('x'), [0]],
        [text('x'), undefined, [0]],
        [empty, undefined, []],
        [empty, undefined, [0]],
        [undefined, undefined, []],
      ];
      for (const [expected, value, lost] of steps) expect(await store.replace([{ key: a, expected, value }])).toEqual(lost);
      expect(await store.read([a])).toEqual([undefined]);
    });

    it('takes a key that is named several times one replacement after the other', async () => {
      const [a] = namedKeys('a');
      const lost = await store.replace([
        { key: a, expected: undefined, value: text('1') },
        { key: a, expected: text('1'), value: text('2') },
        { key: a, expected: text('1'), value: text('3') },
      ]);
      expect(lost).toEqual([2]);
      expect((await store.read([a])).map(asText)).toEqual(['2']);
    });

    it('changes what stands beside a value with it, and not without it', async () => {
      const prefix = randomBytes(8);
      // Braces of every kind: each decides otherwise which part of a key its slot is made of.
      for (const name of ['a', '{b}', 'c}', '{', '{}d', 'e{f']) {
        const own = Buffer.concat([entityPrefix('p'), prefix, Buffer.from(name)]);
        const beside = encodeSideKey('p', 'view', own);
        const both = async () => (await store.read([own, beside])).map(asText);
        const change = (expected: string | undefined, value: string | undefined, other: string | undefined) =>
          store.replace([
            {
              ...{ key: own, expected: expected === undefined ? undefined : text(expected) },
              value: value === undefined ? undefined : text(value),
              beside: [{ key: beside, value: other === undefined ? undefined : text(other) }],
            },
          ]);
        expect(await change(undefined, '1', 'one')).toEqual([]);
        expect(await both()).toEqual(['1', 'one']);
        expect(await change(undefined, '2', 'two')).toEqual([0]);
        expect(await change('2', '3', 'three')).toEqual([0]);
        expect(await both()).toEqual(['1', 'one']);
        expect(await change('1', '2', 'two')).toEqual([]);
        expect(await both()).toEqual(['2', 'two']);
        expect(await change('2', '3', undefined)).toEqual([]);
        expect(await both()).toEqual(['3', undefined]);
        expect(await change('3', '4', 'four')).toEqual([]);
        expect(await change('4', undefined, undefined)).toEqual([]);
        expect(await both()).toEqual([undefined, undefined]);
      }
    });

    it('puts new values beside those that stand there already, which lose', async () => {
      const prefix = randomBytes(8);
      const keys = Array.from({ length: 1000 }, (_, at) => Buffer.concat([prefix, Buffer.from(`key ${at}`)]));
      const there = keys.filter((_, at) => at % 300 === 7);
      await put(store, ...there.map((key) => [key, text('there')] as const));
      const lost = await store.replace(keys.map((key) => ({ key, expected: undefined, value: text('new') })));
      expect(lost).toEqual([7, 307, 607, 907]);
      expect((await store.read(keys)).map(asText)).toEqual(keys.map((_, at) => (at % 300 === 7 ? 'there' : 'new')));
    });

    it('loses no count when several connections count up at once', async () => {
      const keys = namedKeys('one', 'two', 'three', 'four');
      const connections = await Promise.all([connect(), connect(), connect(), connect()]);
      const goal = 40;
      await Promise.all(connections.map((connection) => countUp(connection, keys, goal)));
      const counts = (await store.read(keys)).map((value) => Number(asText(value)));
      expect(counts).toEqual(keys.map(() => goal * connections.length));
    });

    it('scans every key that begins with a prefix, and no other', async () => {
      const prefix = Buffer.concat([randomBytes(6), Buffer.of(0, 42, 91, 63, 92)]);
      const keys = Array.from({ length: 2500 }, (_, at) => Buffer.concat([prefix, Buffer.from(`${at}`)]));
      const others = [prefix.subarray(0, -1), Buffer.concat([prefix.subarray(0, -1), Buffer.of(93)]), randomBytes(12)];
      await put(store, ...[...keys, prefix, ...others].map((key) => [key, text('x')] as const));
      const seen = new Set<string>();
      for await (const page of store.scan(prefix)) for (const key of page) seen.add(asHex(key) as string);
      expect([...seen].sort()).toEqual([...keys, prefix].map((key) => key.toString('hex')).sort());
    });

    it('scans nothing where nothing begins so, and may be left early', async () => {
      for await (const page of store.scan(randomBytes(12))) expect(page).toEqual([]);
      const [a] = namedKeys('a');
      await put(store, [a, text('1')]);
      for await (const page of store.scan(a)) {
        expect(page.map(asHex)).toEqual([asHex(a)]);
        break;
      }
      expect((await store.read([a])).map(asText)).toEqual(['1']);
    });

    it('keeps everything when it is closed and opened again', async () => {
      const [a, b] = namedKeys('a', 'b');
      const before = await open();
      await put(before, [a, text('1')], [b, text('2')]);
      await before.replace([{ key: b, expected: text('2'), value: undefined }]);
      await before.close();
      expect((await (await connect()).read([a, b])).map(asText)).toEqual(['1', undefined]);
    });

    it('finishes what runs before it is closed, and refuses what comes after', async () => {
      const [a] = namedKeys('a');
      const closing = await open();
      const replaced = closing.replace([{ key: a, expected: undefined, value: text('1') }]);
      await closing.close();
      expect(await replaced).toEqual([]);
      await closing.close();
      await expect(closing.read([a])).rejects.toMatchObject({ name: 'FeatureStoreError' });
      expect((await store.read([a])).map(asText)).toEqual(['1']);
    });

    it('does nothing for a call that is aborted already', async () => {
      const [a] = namedKeys('a');
      const signal = AbortSignal.abort(new Error('given up'));
      await expect(store.read([a], signal)).rejects.toThrow('given up');
      await expect(store.replace([{ key: a, expected: undefined, value: text('1') }], signal)).rejects.toThrow('given up');
      expect(await store.read([a])).toEqual([undefined]);
    });

    it('is well when asked, and has a name for people', async () => {
      await store.check();
      expect(store.name).toMatch(/LMDB|Redis|Valkey/);
    });
  });
}

/** Counts every key up `times` times, each in a random order, retrying what others changed meanwhile. */
async function countUp(store: OnlineStore, keys: readonly Buffer[], times: number): Promise<void> {
  const left = keys.map(() => times);
  for (;;) {
    const open = keys.filter((_, at) => (left[at] as number) > 0).sort(() => randomInt(3) - 1);
    if (open.length === 0) return;
    const values = await store.read(open);
    const replacements: Replacement[] = open.map((key, at) => {
      const expected = values[at];
      return { key, expected, value: text(String(Number(asText(expected) ?? '0') + 1)) };
    });
    const lost = new Set(await store.replace(replacements));
    for (const [at, key] of open.entries()) if (!lost.has(at)) left[keys.indexOf(key)] = (left[keys.indexOf(key)] as number) - 1;
  }
}

async function put(store: OnlineStore, ...entries: (readonly [Buffer, Buffer])[]): Promise<void> {
  const lost = await store.replace(entries.map(([key, value]) => ({ key, expected: undefined, value })));
  expect(lost).toEqual([]);
}

function namedKeys<const N extends readonly string[]>(...names: N): { [K in keyof N]: Buffer } {
  const prefix = randomBytes(8);
  return names.map((name) => Buffer.concat([prefix, Buffer.from(name)])) as { [K in keyof N]: Buffer };
}

function text(value: string): Buffer {
  return Buffer.from(value);
}

function asText(value: Uint8Array | undefined): string | undefined {
  return value === undefined ? undefined : Buffer.from(value).toString();
}

function asHex(value: Uint8Array | undefined): string | undefined {
  return value === undefined ? undefined : Buffer.from(value).toString('hex');
}
