/** What stands in the store is what docs/reference/online-encoding.md says, read by a decoder written from that page alone. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { LiteralValue } from '../../src/definitions/literal.ts';
import { formatValueType, parseValueType } from '../../src/definitions/value-type.ts';
import { encodeEntityKey } from '../../src/online/encoding/keys.ts';
import { compileRowEncoder } from '../../src/online/encoding/row-codec.ts';
import { openLmdbStore } from '../../src/online/lmdb-store.ts';
import { compileOnlineView } from '../../src/online/view.ts';
import { createOnlineWriter } from '../../src/online/write/writer.ts';
import { decodeKeyByPage, decodeValueByPage, type PageSchema } from './decode-by-page.ts';
import { type DrawnView, documentOf, startUs, typedValues } from './draw-online.ts';

const folder = mkdtempSync(join(tmpdir(), 'featherflight-encoding-'));
const store = openLmdbStore(folder);
afterAll(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

/** One feature of every type. */
const view: DrawnView = {
  name: 'profile',
  keys: ['user_id'],
  features: typedValues.map(({ type }, at) => ({ name: `f${at}`, type, hash: `hash ${at}` })),
  delayUs: 0n,
  ttlUs: 0n,
  hasAvailable: true,
  hasCreated: true,
  asKnown: false,
};
const document = documentOf([view]);
const online = compileOnlineView(document.views[0] as (typeof document.views)[number], document);

const drawRow = fc.record({
  eventUs: fc.oneof(fc.constantFrom(0n, -1n, startUs, 2n ** 53n - 993n, -62_135_596_800_000_000n), drawInstant()),
  createdUs: fc.option(fc.oneof(fc.constantFrom(0n, startUs + 1n, startUs - 86_400_000_000n), drawInstant())),
  availableUs: fc.oneof(fc.constantFrom(startUs, startUs - 5n, 253_402_300_799_999_999n), drawInstant()),
  pushed: fc.boolean(),
  values: fc.tuple(...typedValues.map(({ values }) => fc.constantFrom(...values))).map((values) => values.toReversed()),
});

/** Whole in any of the units, years 1 to 9999. */
function drawInstant(): fc.Arbitrary<bigint> {
  return fc
    .tuple(
      fc.bigInt({ min: -62_135_596_800_000_000n, max: 253_402_300_799_999_999n }),
      fc.constantFrom(1n, 1000n, 1_000_000n, 3_600_000_000n),
    )
    .map(([instant, unit]) => (instant / unit) * unit);
}

async function readByPage(project: string): Promise<{ keys: unknown[]; rows: ReturnType<typeof decodeValueByPage> }> {
  const keys: Uint8Array[] = [];
  for await (const page of store.scan(Buffer.from(`${project}\0`))) keys.push(...page);
  const values = await store.read(keys);
  const schemas = new Map<string, PageSchema>();
  for (const [at, key] of keys.entries()) {
    const [, kind, name] = Buffer.from(key).toString('latin1').split('\0');
    if (kind === '\x01schema' && name !== undefined)
      schemas.set(name, JSON.parse(Buffer.from(values[at] as Uint8Array).toString()) as PageSchema);
  }
  const entities = keys
    .map((key, at) => ({ key: decodeKeyByPage(key), value: values[at] }))
    .filter(({ key }) => key !== undefined);
  return {
    keys: entities.map(({ key }) => key),
    rows: entities.flatMap(({ value }) => decodeValueByPage(value as Uint8Array, (name) => schemas.get(name) as PageSchema)),
  };
}

describe('the encoding', () => {
  it('holds rows of every type as its page says', async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(drawRow, async (row) => {
        const project = `p${run++}`;
        await createOnlineWriter(store, project).write(online, [{ keys: [-42n], row }], startUs);
        const { keys, rows } = await readByPage(project);
        expect(keys).toEqual([{ project, joinKeys: ['user_id'], values: [-42n] }]);
        const values = Object.fromEntries(online.schema.features.map(({ name }, at) => [name, row.values[at]]));
        expect(rows).toEqual([
          {
            schema: expect.stringMatching(/^[0-9a-f]{8}$/),
            pushed: row.pushed,
            event: row.eventUs,
            created: row.createdUs,
            available: row.availableUs,
            values,
          },
        ]);
      }),
      { numRuns: 100 },
    );
  });

  it('numbers schemas by their content', async () => {
    const row = { eventUs: 0n, createdUs: null, availableUs: 0n, pushed: false, values: typedValues.map(() => null) };
    await createOnlineWriter(store, 'numbered').write(online, [{ keys: [1n], row }], startUs);
    const content = ['profile', ...view.features.map(({ name, type, hash }) => [name, formatValueType(type), hash]).toReversed()];
    const digest = createHash('sha256').update(JSON.stringify(content)).digest();
    const number = digest.readUInt32LE(0).toString(16).padStart(8, '0');
    expect((await readByPage('numbered')).rows.map(({ schema }) => schema)).toEqual([number]);
  });

  it('holds several rows of a view from the greatest to the least, and a tombstone once the entity is erased', async () => {
    const writer = createOnlineWriter(store, 'ordered');
    const values = typedValues.map(() => null);
    const rows = [3n, 9n, 5n].map((minutes) => ({
      keys: [7n],
      row: { eventUs: startUs + minutes * 60_000_000n, createdUs: null, availableUs: startUs, pushed: true, values },
    }));
    await writer.write(online, rows, startUs);
    expect((await readByPage('ordered')).rows.map(({ event }) => (event as bigint) - startUs)).toEqual([
      540_000_000n,
      300_000_000n,
      180_000_000n,
    ]);
    expect(await writer.erase(online.joinKeys, [7n], startUs + 5n)).toEqual({ keys: 1, rows: { profile: 3 } });
    expect((await readByPage('ordered')).rows).toEqual([{ schema: '00000000', erased: startUs + 5n }]);
  });

  it('writes the row of its page’s example, byte by byte', () => {
    const eventUs = BigInt(Date.parse('2026-03-10T12:00:00Z')) * 1000n;
    const row = { eventUs, createdUs: eventUs + 90_000_000n, availableUs: null, pushed: true, values: [41, null] };
    const types = ['int32', 'string'].map(parseValueType);
    const page = readFileSync(new URL('../../docs/reference/online-encoding.md', import.meta.url), 'utf8');
    const example = /^(?:[0-9a-f]{2} )+02 52$/m.exec(page)?.[0];
    expect(compileRowEncoder(0x5a3f10c2, types)(row).toString('hex')).toBe(example?.replaceAll(' ', ''));
  });

  it('makes keys as its page says, that of its example too', () => {
    const types = ['int32', 'bool', 'string', 'bytes'] as const;
    const joinKeys = types.map((type) => ({ name: `of,${type}\0`, type }));
    const long = 'é'.repeat(33);
    const cases: LiteralValue[][] = [
      [-1, true, '', Uint8Array.of()],
      [5, false, 'a\0b', Uint8Array.of(0, 255)],
      [2147483647, true, 'é'.repeat(32), new Uint8Array(64)],
      [0, true, long, new Uint8Array(65)],
    ];
    const shown = (value: LiteralValue) => {
      if (typeof value === 'number') return BigInt(value);
      const bytes = value instanceof Uint8Array ? value : Buffer.from(String(value));
      if (typeof value !== 'boolean' && bytes.length > 64) return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
      return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value;
    };
    for (const values of cases) {
      expect(decodeKeyByPage(encodeEntityKey('shop', joinKeys, values))).toEqual({
        project: 'shop',
        joinKeys: joinKeys.map(({ name }) => name),
        values: values.map(shown),
      });
    }
    const page = readFileSync(new URL('../../docs/reference/online-encoding.md', import.meta.url), 'utf8');
    const example = /^(?:[0-9a-f]{2} )+01 54$/m.exec(page)?.[0];
    expect(encodeEntityKey('shop', [{ name: 'user_id', type: 'int64' }], [42n]).toString('hex')).toBe(
      example?.replaceAll(' ', ''),
    );
  });
});
