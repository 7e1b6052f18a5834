/** Runs of SQL sources behind their fence: against plain loops over random rows, and case by case (semantics 11). */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { parseConfig } from '../../../src/config.ts';
import { parseInstantUs } from '../../../src/definitions/literal.ts';
import { batchSource, eventSource, parquet, type SqlSourceOptions, sqlSource } from '../../../src/index.ts';
import type { ErasedRows } from '../../../src/offline/archive/erased.ts';
import { draftName } from '../../../src/offline/archive/folder.ts';
import type { HistoryOptions } from '../../../src/offline/history.ts';
import { listTickFiles } from '../../../src/offline/ticks/tick-folder.ts';
import { queryOf } from '../../../src/offline/ticks/ticks.ts';
import { bindRepository } from '../../../src/registry/bind.ts';
import type { SourceDocument } from '../../../src/registry/document.ts';
import type { Definition } from '../../../src/registry/repository.ts';
import { writeTables } from '../../integration/make-store.ts';
import { openTestHistory } from '../../support/answer-with-engine.ts';

const scratch = mkdtempSync(join(tmpdir(), 'ticks-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const signal = new AbortController().signal;
const dayUs = 86_400_000_000n;
const tickUs = parseInstantUs('2026-03-10T00:00:00Z');
let folders = 0;

/** A repository of prices (a batch source whose rows land later) and clicks (events), and one SQL source over both. */
async function openRuns(
  tables: { prices?: string; clicks?: string },
  options: Partial<SqlSourceOptions>,
  more: Partial<HistoryOptions> = {},
) {
  const root = join(scratch, String(folders++));
  mkdirSync(root, { recursive: true });
  const none = 'where false';
  await writeTables(root, [
    [
      'prices.parquet',
      tables.prices ??
        `select 1::bigint as item_id, 0::bigint as price, now()::timestamptz as happened, now()::timestamptz as landed, now()::timestamptz as made ${none}`,
    ],
    [
      'clicks.parquet',
      tables.clicks ?? `select 1::bigint as item_id, 'view' as kind, 'a' as id, now()::timestamptz as happened ${none}`,
    ],
  ]);
  const history = await openTestHistory(root, { ticksDirectory: join(root, 'sql'), ...more });
  const prices = batchSource('prices', {
    table: parquet('prices.parquet'),
    eventTimestamp: 'happened',
    availableAt: 'landed',
    createdTimestamp: 'made',
  });
  const clicks = eventSource('clicks', {
    history: parquet('clicks.parquet'),
    eventTimestamp: 'happened',
    eventId: 'id',
    columns: { item_id: 'int64', kind: { type: 'string', values: ['view', 'click'] }, id: 'string' },
  });
  const daily = sqlSource('daily', { inputs: [prices, clicks], every: '1d', offset: '3h', sql: '', ...options });
  const definitions = [prices, clicks, daily].map((definition) => ({
    definition: definition as Definition,
    file: 'features/x.ts',
  }));
  const bound = await bindRepository({ root, config: parseConfig({ project: 'ticks' }, root), definitions }, history);
  const source = bound.sources.find(({ name }) => name === 'daily') as SourceDocument;
  const ticks = history.ticks as NonNullable<typeof history.ticks>;
  return {
    root,
    history,
    source,
    ticks,
    folder: join(root, 'sql', 'daily', queryOf(source).hash.slice(0, 16)),
    run: (atUs: bigint, createdUs = atUs + 3n * 3_600_000_000n) =>
      ticks.run(source, bound.sources, { tickUs: atUs, createdUs }, signal),
    async rows(): Promise<Record<string, unknown>[]> {
      const state = await history.readState(source);
      const files = state.archived.map((file) => `'${file.absolutePath}'`);
      return await history.engine.session(undefined, (session) =>
        session.rows(`select * replace (epoch_us(event_timestamp) as event_timestamp, epoch_us(created_timestamp) as created_timestamp)
          from read_parquet([${files}]) order by all`),
      );
    },
  };
}

const at = (text: string) => `timestamptz '${text}'`;
const priceRows = (rows: readonly string[]) =>
  `select * from (values ${rows.join(', ')}) as t(item_id, price, happened, landed, made)`;

describe('a tick of an SQL source', () => {
  it('11: sees rows before the tick that could be read by tick + offset, however the statement is written', async () => {
    const rows = [
      `(1::bigint, 10::bigint, ${at('2026-03-09 23:59:59.999999+00')}, ${at('2026-03-10 03:00:00+00')}, ${at('2026-03-10 03:00:00+00')})`,
      `(2, 20, ${at('2026-03-10 00:00:00+00')}, ${at('2026-03-10 00:00:00+00')}, ${at('2026-03-10 00:00:00+00')})`,
      `(3, 30, ${at('2026-03-09 00:00:00+00')}, ${at('2026-03-10 03:00:00.000001+00')}, ${at('2026-03-09 00:00:00+00')})`,
      `(4, 40, ${at('2026-03-09 00:00:00+00')}, null, ${at('2026-03-09 00:00:00+00')})`,
      `(5, 50, null, ${at('2026-03-09 00:00:00+00')}, ${at('2026-03-09 00:00:00+00')})`,
      `(6, 60, ${at('2026-03-09 00:00:00+00')}, ${at('2026-03-09 00:00:00+00')}, ${at('2026-04-01 00:00:00+00')})`,
      `(7, 70, ${at('2027-01-01 00:00:00+00')}, ${at('2020-01-01 00:00:00+00')}, ${at('2020-01-01 00:00:00+00')})`,
    ];
    const sql = 'select item_id, price from prices';
    const runs = await openRuns({ prices: priceRows(rows) }, { sql });
    expect(await runs.run(tickUs)).toEqual({ rows: 2 });
    const createdUs = tickUs + 3n * 3_600_000_000n;
    expect(await runs.rows()).toEqual([
      { item_id: 1n, price: 10n, event_timestamp: tickUs, created_timestamp: createdUs },
      { item_id: 6n, price: 60n, event_timestamp: tickUs, created_timestamp: createdUs },
    ]);
    await runs.history.close();
    // As known at the time a correction that was made later is not there, until a run that comes after it.
    const known = await openRuns({ prices: priceRows(rows) }, { sql, asKnown: true });
    expect(await known.run(tickUs)).toEqual({ rows: 1 });
    expect(await known.run(tickUs, parseInstantUs('2026-05-01T00:00:00Z'))).toEqual({ rows: 2 });
    await known.history.close();
  });

  it('6.1: counts every valid event once', async () => {
    const clicks = `select * from (values
      (1::bigint, 'view', 'a', ${at('2026-03-09 10:00:00+00')}), (1, 'view', 'a', ${at('2026-03-09 10:00:00+00')}),
      (1, 'view', 'a', ${at('2026-03-11 10:00:00+00')}), (1, 'vew', 'b', ${at('2026-03-09 10:00:00+00')}),
      (1, null, 'c', ${at('2026-03-09 11:00:00+00')}), (1, 'click', null, ${at('2026-03-09 11:00:00+00')}),
      (1, 'click', null, ${at('2026-03-09 11:00:00+00')}), (1, 'view', 'd', null)) as t(item_id, kind, id, happened)`;
    const runs = await openRuns(
      { clicks },
      { sql: 'select item_id, count(*) as n, max(happened) as newest from clicks group by item_id' },
    );
    await runs.run(tickUs);
    const [row] = await runs.rows();
    expect(row).toMatchObject({ item_id: 1n, n: 4n, newest: new Date('2026-03-09T11:00:00Z') });
    await runs.history.close();
  });

  it('knows the tick, sums beyond int64 as null, and gives a file even where it gives no row', async () => {
    const prices = priceRows(
      [1, 2].map(
        (n) =>
          `(1::bigint, 9000000000000000000::bigint, ${at(`2026-03-0${n} 00:00:00+00`)}, ${at('2026-03-03 00:00:00+00')}, null::timestamptz)`,
      ),
    );
    const sql =
      'select item_id, sum(price) as total, $tick as tick from prices where happened >= $tick - interval 30 day group by item_id';
    const runs = await openRuns({ prices }, { sql });
    await expect(runs.rows()).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('featherflight run-sql daily'),
    });
    await runs.run(tickUs);
    await runs.run(tickUs + 60n * dayUs);
    expect(await runs.rows()).toMatchObject([
      { item_id: 1n, total: null, tick: new Date('2026-03-10T00:00:00Z'), event_timestamp: tickUs },
    ]);
    expect(await runs.ticks.list(runs.source)).toEqual([tickUs, tickUs + 60n * dayUs]);
    await runs.history.close();
  });

  it('11: run again replaces its rows whole, and leaves other ticks as they are', async () => {
    const row = (price: number) =>
      priceRows([
        `(1::bigint, ${price}::bigint, ${at('2026-03-01 00:00:00+00')}, ${at('2026-03-01 00:00:00+00')}, null::timestamptz)`,
      ]);
    const runs = await openRuns({ prices: row(1) }, { sql: 'select item_id, price from prices' });
    await runs.run(tickUs);
    await runs.run(tickUs + dayUs);
    await writeTables(runs.root, [['prices.parquet', row(2)]]);
    await runs.run(tickUs, tickUs + 99n * dayUs);
    expect(await runs.rows()).toEqual([
      { item_id: 1n, price: 1n, event_timestamp: tickUs + dayUs, created_timestamp: tickUs + dayUs + 3n * 3_600_000_000n },
      { item_id: 1n, price: 2n, event_timestamp: tickUs, created_timestamp: tickUs + 99n * dayUs },
    ]);
    expect(readdirSync(runs.folder)).toHaveLength(2);
    await runs.history.close();
  });

  it('that fails says which, and leaves what was there', async () => {
    const prices = priceRows([
      `(1::bigint, 0::bigint, ${at('2026-03-09 12:00:00+00')}, ${at('2026-03-01 00:00:00+00')}, null::timestamptz)`,
    ]);
    const runs = await openRuns({ prices }, { sql: 'select item_id, ln(price) as l from prices' });
    await runs.run(tickUs - dayUs);
    await expect(runs.run(tickUs)).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringContaining('source "daily", tick 2026-03-10T00:00:00'),
      details: { source: 'daily' },
    });
    expect(await runs.ticks.list(runs.source)).toEqual([tickUs - dayUs]);
    expect(readdirSync(runs.folder)).toHaveLength(1);
    await runs.history.close();
  });

  it('reads past what killed processes left: drafts, and files that a later run replaced', async () => {
    const prices = priceRows([
      `(1::bigint, 5::bigint, ${at('2026-03-01 00:00:00+00')}, ${at('2026-03-01 00:00:00+00')}, null::timestamptz)`,
    ]);
    const runs = await openRuns({ prices }, { sql: 'select item_id, price from prices' });
    const stale = '00000000-0000-0000-0000-000000000000';
    mkdirSync(runs.folder, { recursive: true });
    const draft = draftName(String(tickUs)).replace(`-${process.pid}.`, '-4000000.');
    for (const name of [draft, `${tickUs}.1-${stale}.parquet`, `${stale}.merged.parquet`, `${stale}.merged.parquet.x.y.draft`])
      writeFileSync(join(runs.folder, name), 'torn');
    await runs.run(tickUs);
    expect(await runs.rows()).toMatchObject([{ price: 5n }]);
    expect(readdirSync(runs.folder)).toHaveLength(1);
    await runs.history.close();
  });
});

describe('many ticks', () => {
  const prices = (price: number) =>
    priceRows(
      [1, 2].map(
        (item) =>
          `(${item}::bigint, ${price}::bigint, ${at('2026-03-01 00:00:00+00')}, ${at('2026-03-01 00:00:00+00')}, null::timestamptz)`,
      ),
    );
  const sql = 'select item_id, price from prices';
  const tickAt = (tick: number) => tickUs + BigInt(tick) * dayUs;
  const countFiles = async (folder: string) => (await listTickFiles(folder)).map(({ ticks }) => ticks.size);

  it('are merged into one file, which is the table that they were, and grow on from there', async () => {
    const runs = await openRuns({ prices: prices(1) }, { sql }, { mergeTicksAt: 4 });
    const expected: [bigint, bigint, bigint][] = [];
    const sizes: number[][] = [];
    for (let tick = 0; tick < 9; tick++) {
      await runs.run(tickAt(tick));
      expected.push(...[1n, 2n].map((item): [bigint, bigint, bigint] => [tickAt(tick), item, 1n]));
      sizes.push(await countFiles(runs.folder));
    }
    expect(sizes.slice(2)).toEqual([[1, 1, 1], [4], [4, 1], [4, 1, 1], [4, 1, 1, 1], [8], [8, 1]]);
    const rows = await runs.rows();
    expect(new Set(rows.map((row) => [row.event_timestamp, row.item_id, row.price].join()))).toEqual(
      new Set(expected.map((row) => row.join())),
    );
    expect(rows).toHaveLength(expected.length);
    expect(await runs.ticks.list(runs.source)).toEqual(Array.from({ length: 9 }, (_, tick) => tickAt(tick)));
    await runs.history.close();
  });

  it('11: a merged tick that runs again has its new rows alone, and so it stays when it is merged again', async () => {
    const runs = await openRuns({ prices: prices(1) }, { sql }, { mergeTicksAt: 4 });
    for (let tick = 0; tick < 5; tick++) await runs.run(tickAt(tick));
    await writeTables(runs.root, [['prices.parquet', prices(2)]]);
    const madeUs = tickAt(99);
    await runs.run(tickAt(1), madeUs);
    expect(await countFiles(runs.folder)).toEqual([3, 1, 1]);
    const priced = async () =>
      (await runs.rows()).map((row) => [Number(((row.event_timestamp as bigint) - tickUs) / dayUs), row.price]);
    const expected = [0, 1, 2, 3, 4].flatMap((tick) => [1, 2].map(() => [tick, tick === 1 ? 2n : 1n]));
    expect((await priced()).sort()).toEqual(expected.sort());
    expect((await runs.rows()).filter((row) => row.created_timestamp === madeUs)).toHaveLength(2);
    for (const tick of [5, 6]) await runs.run(tickAt(tick));
    expect(await countFiles(runs.folder)).toEqual([7]);
    const grown = [...expected, ...[5, 6].flatMap((tick) => [1, 2].map(() => [tick, 2n]))];
    expect((await priced()).sort()).toEqual(grown.sort());
    await runs.history.close();
  });

  it('of another folder count as well, are not written, and count before those of this one', async () => {
    const known = await openRuns({ prices: prices(1) }, { sql }, { mergeTicksAt: 3 });
    for (let tick = 0; tick < 4; tick++) await known.run(tickAt(tick));
    const knownTicksDirectory = join(known.root, 'sql');
    const before = readdirSync(known.folder).sort();
    const runs = await openRuns({ prices: prices(2) }, { sql }, { knownTicksDirectory, mergeTicksAt: 2 });
    // The same definition over other files: its results go by the definition.
    expect(runs.folder.slice(runs.root.length)).toBe(known.folder.slice(known.root.length));
    expect(await runs.ticks.list(runs.source)).toEqual([0, 1, 2, 3].map(tickAt));
    for (const tick of [3, 4, 5]) await runs.run(tickAt(tick));
    const days = (await runs.rows()).map((row) => [Number(((row.event_timestamp as bigint) - tickUs) / dayUs), row.price]);
    const expected = [0, 1, 2, 3, 4, 5].flatMap((tick) => [1, 2].map(() => [tick, tick > 3 ? 2n : 1n]));
    expect(days.sort()).toEqual(expected.sort());
    expect(readdirSync(known.folder).sort()).toEqual(before);
    await runs.history.close();
    await known.history.close();
  });

  it('8.4: lose the rows of an erased entity in merged files and in others, and nothing of them is on the disk', async () => {
    let erased: readonly ErasedRows[] = [];
    const more = { mergeTicksAt: 4, readErased: async () => erased };
    const runs = await openRuns({ prices: prices(1) }, { sql }, more);
    for (let tick = 0; tick < 5; tick++) await runs.run(tickAt(tick));
    erased = [[{ column: 'item_id', value: { kind: 'integer', value: 1n } }]];
    expect(await runs.ticks.erase(runs.source)).toEqual({ files: 2, rows: 5, timesUs: [tickAt(0), tickAt(4)] });
    expect((await runs.rows()).map((row) => row.item_id)).toEqual(Array.from({ length: 5 }, () => 2n));
    expect(await countFiles(runs.folder)).toEqual([4, 1]);
    expect(readdirSync(runs.folder).filter((name) => name.endsWith('.parquet'))).toHaveLength(2);
    await runs.history.close();
  });
});

describe('random rows', () => {
  const hourUs = 3_600_000_000n;
  const hour = fc.integer({ min: -60, max: 60 }).map((hours) => tickUs + (BigInt(hours) * hourUs) / 2n);
  const time = fc.option(hour, { nil: undefined, freq: 8 });
  const price = fc.record({
    item: fc.integer({ min: 1, max: 3 }),
    price: fc.integer({ min: -5, max: 5 }),
    happened: time,
    landed: time,
    made: time,
  });
  const click = fc.record({
    item: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
    kind: fc.constantFrom('view', 'click', 'vew', undefined),
    id: fc.constantFrom('a', 'b', 'c', undefined),
    happened: time,
  });
  const sqlOf = (us: bigint | undefined) => (us === undefined ? 'null::timestamptz' : `make_timestamptz(${us})`);
  const textOf = (text: string | undefined) => (text === undefined ? 'null' : `'${text}'`);

  it('11: are seen as plain loops see them, tick by tick', { timeout: 240_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(price, { minLength: 1, maxLength: 40 }),
        fc.array(click, { minLength: 1, maxLength: 40 }),
        fc.constantFrom('0', '3h', '30h') as fc.Arbitrary<'0' | '3h' | '30h'>,
        fc.boolean(),
        async (prices, clicks, offset, asKnown) => {
          const tables = {
            prices: priceRows(
              prices.map(
                (row) => `(${row.item}::bigint, ${row.price}::bigint, ${[row.happened, row.landed, row.made].map(sqlOf)})`,
              ),
            ),
            clicks: `select * from (values ${clicks.map((row) => `(${row.item ?? 'null'}::bigint, ${textOf(row.kind)}::varchar, ${textOf(row.id)}::varchar, ${sqlOf(row.happened)})`)}) as t(item_id, kind, id, happened)`,
          };
          const sql = `select 'prices' as input, item_id, count(*) as n, sum(price) as total from prices group by item_id
            union all select 'clicks', item_id, count(*), count(kind) from clicks group by item_id`;
          const runs = await openRuns(tables, { sql, offset, asKnown });
          const offsetUs = { '0': 0n, '3h': 3n * hourUs, '30h': 30n * hourUs }[offset];
          const expected: unknown[] = [];
          for (const now of [tickUs - dayUs, tickUs, tickUs + dayUs]) {
            const created = now + offsetUs;
            await runs.run(now, created);
            const visible = prices.filter(
              (row) =>
                row.happened !== undefined &&
                row.happened < now &&
                row.landed !== undefined &&
                row.landed <= created &&
                (!asKnown || (row.made !== undefined && row.made <= created)),
            );
            const seen = new Set<string>();
            const valid = clicks
              .filter((row) => row.happened !== undefined && row.kind !== 'vew')
              // Of equal ids the oldest event, and of equally old ones the least by value, nulls first.
              .sort(
                (a, b) =>
                  Number((a.happened as bigint) - (b.happened as bigint)) ||
                  (a.item ?? 0) - (b.item ?? 0) ||
                  ((a.kind ?? '') < (b.kind ?? '') ? -1 : 1),
              )
              .filter((row) => row.id === undefined || (!seen.has(row.id) && seen.add(row.id)))
              .filter((row) => (row.happened as bigint) < now);
            for (const item of [undefined, 1, 2, 3]) {
              const times = { event_timestamp: now, created_timestamp: created };
              const own = visible.filter((row) => row.item === item);
              const total = own.reduce((sum, row) => sum + row.price, 0);
              const item_id = item === undefined ? null : BigInt(item);
              if (own.length > 0)
                expected.push({ input: 'prices', item_id, n: BigInt(own.length), total: BigInt(total), ...times });
              const events = valid.filter((row) => row.item === item);
              const kinds = events.filter((row) => row.kind !== undefined).length;
              if (events.length > 0)
                expected.push({ input: 'clicks', item_id, n: BigInt(events.length), total: BigInt(kinds), ...times });
            }
          }
          const text = (rows: readonly unknown[]) =>
            rows
              .map((row) =>
                JSON.stringify(Object.entries(row as object).sort(), (_, value) =>
                  typeof value === 'bigint' ? String(value) : value,
                ),
              )
              .sort();
          try {
            expect(text(await runs.rows())).toEqual(text(expected));
          } finally {
            await runs.history.close();
            rmSync(runs.root, { recursive: true, force: true });
          }
        },
      ),
      { numRuns: 40 },
    );
  });
});
