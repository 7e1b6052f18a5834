/** The history of an event source: no, one and several tables and the archive, read as one, against plain loops (rule 6.1). */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLogger } from '../../../src/observe.ts';
import { type Archive, openArchive } from '../../../src/offline/archive/archive.ts';
import type { ScanOptions } from '../../../src/offline/events/scan-events.ts';
import type { History } from '../../../src/offline/history.ts';
import type { HistoryTableDocument, SourceDocument } from '../../../src/registry/document.ts';
import { openTestHistory } from '../../support/answer-with-engine.ts';
import {
  activity,
  archiveEvents,
  type Click,
  clicks,
  isValid,
  mostTables,
  onceNaively,
  rowOf,
  rowsOf,
  sortRows,
  stagedOf,
  type ViewRow,
  writeTable,
} from './clicks.ts';

const never = () => new AbortController().signal;
const startUs = 1_773_136_800_000_000n;

let root: string;
let history: History;
let archive: Archive;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'events-'));
  history = await openTestHistory(root, { archiveDirectory: join(root, 'archive') });
  archive = history.archive as Archive;
});
afterEach(async () => {
  await history.close();
  rmSync(root, { recursive: true, force: true });
});

/** Those events are in a partition from an offset on; offsets of Redis Streams have 112 bits. */
interface Batch {
  readonly partition: string;
  readonly firstOffset: bigint;
  readonly events: readonly Click[];
}

const click: fc.Arbitrary<Click> = fc.record({
  atUs: fc.option(
    fc.integer({ min: 0, max: 20 }).map((seconds) => startUs + BigInt(seconds) * 1_000_001n),
    { freq: 8 },
  ),
  user: fc.option(fc.constantFrom(1n, 2n, -3n), { freq: 8 }),
  kind: fc.option(fc.constantFrom('view', 'click', 'buy', 'unknown'), { freq: 8 }),
  n: fc.option(fc.constantFrom(0n, 5n, -7n, 300n)),
  x: fc.option(fc.constantFrom(0, 0.5, -2.25, Number.NaN, Number.POSITIVE_INFINITY)),
  id: fc.constant(null),
});
const withIds = (hasId: boolean) =>
  fc.array(hasId ? fc.tuple(click, fc.option(fc.bigInt({ min: 0n, max: 6n }))).map(([one, id]) => ({ ...one, id })) : click, {
    maxLength: 12,
  });

async function write(name: string, given: readonly (readonly [number, readonly Click[]])[]): Promise<SourceDocument> {
  const tables: HistoryTableDocument[] = [];
  for (const [at, events] of given) tables.push(await writeTable(root, `${name}/${tables.length}`, at, events));
  const [only] = tables;
  if (only === undefined || tables.length > 1) return { ...clicks, name, tables };
  const { tables: _, ...source } = clicks;
  const { columns, ...table } = only;
  return { ...source, name, table, columns };
}

/** Another process merges, whatever the size of the files. */
async function mergeAll(source: string): Promise<void> {
  const other = openArchive({ directory: join(root, 'archive'), logger: silentLogger, mergeAt: 2 });
  await other.merge(source);
  await other.close();
  expect((await archive.files(source)).length).toBeLessThanOrEqual(1);
}

async function scan(source: SourceDocument, options: ScanOptions = {}): Promise<ViewRow[]> {
  const rows: ViewRow[] = [];
  for await (const chunk of history.scanEvents(activity, source, options, never())) rows.push(...rowsOf(chunk));
  return rows;
}

test('all tables and the archive are one history, whatever their formats and types; a scan leaves out what the stream has yet to apply', async () => {
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.boolean().chain((hasId) =>
        fc.record({
          hasId: fc.constant(hasId),
          tables: fc.array(fc.tuple(fc.integer({ min: 0, max: mostTables - 1 }), withIds(hasId)), { maxLength: 3 }),
          batches: fc.array(fc.tuple(fc.constantFrom('0', "it's 1"), withIds(hasId)), { maxLength: 4 }),
          isWide: fc.boolean(),
          limit: fc.integer({ min: 0, max: 20 }),
          isMerged: fc.boolean(),
        }),
      ),
      async ({ hasId, tables, batches: drawn, isWide, limit, isMerged }) => {
        const written = await write(`s${runs++}`, tables);
        const source = hasId ? { ...written, events: { ...clicks.events, eventId: 'id' } as never } : written;
        const base = isWide ? ((2n ** 48n - 1n) << 64n) | (2n ** 64n - 10n) : 0n;
        const next = new Map<string, bigint>();
        const batches: Batch[] = drawn.map(([partition, events]) => {
          const firstOffset = next.get(partition) ?? base;
          next.set(partition, firstOffset + BigInt(events.length));
          return { partition, firstOffset, events };
        });
        for (const { partition, firstOffset, events } of batches) {
          const offsets = events.map((_, at) => firstOffset + BigInt(at));
          if (events.length > 0) expect(await archiveEvents(archive, source, events, offsets, partition)).toBe(true);
        }
        if (isMerged) await mergeAll(source.name);
        const archived = batches.flatMap(({ partition, firstOffset, events }) =>
          // Every third is marked as late.
          events.map((event, at) => ({ event, partition, offset: firstOffset + BigInt(at), isLate: at % 3 === 0 })),
        );
        const own = tables.flatMap(([, events]) => events);
        const expected = (some: readonly Click[], fromUs?: bigint) => {
          const valid = some.filter(isValid);
          const once = hasId ? onceNaively(valid) : valid;
          const kept = once.filter(({ user, atUs }) => user !== null && (fromUs === undefined || (atUs as bigint) >= fromUs));
          return sortRows(kept.map(rowOf));
        };
        const all = [...own, ...archived.map(({ event }) => event)];
        expect(await scan(source)).toEqual(expected(all));
        const before = new Map([["it's 1", base + BigInt(limit)]]);
        const fromUs = startUs + 5_000_000n;
        const kept = archived.filter(
          ({ partition, offset, isLate }) => !isLate && offset < (before.get(partition) ?? 2n ** 120n),
        );
        expect(await scan(source, { before, fromUs })).toEqual(expected([...own, ...kept.map(({ event }) => event)], fromUs));
        expect(await scan({ ...source, archive: false })).toEqual(expected(own));
        const times = all.filter(isValid).map(({ atUs }) => atUs as bigint);
        const newest = times.reduce<bigint | undefined>((most, us) => (most === undefined || us > most ? us : most), undefined);
        expect(await history.newestEventUs(source)).toBe(newest);
        const projection = await history.openProjection(activity, source, never());
        expect(projection.rows).toBe(expected(all).length);
        const count = (is: (event: Click) => boolean) => all.filter(is).length;
        const reasons = [
          { reason: 'no_time', column: 'at', events: count(({ atUs }) => atUs === null) },
          { reason: 'vocabulary', column: 'kind', events: count(({ kind }) => kind === 'unknown') },
        ];
        expect(projection.invalid).toEqual({
          events: count((event) => !isValid(event)),
          reasons: reasons.filter(({ events }) => events > 0),
        });
        projection.release();
      },
    ),
    { numRuns: 30 },
  );
}, 120_000);

test('a table that lost its files, or a column, is named; without a table an event source has an empty history', async () => {
  const source = await write('named', [
    [0, []],
    [2, []],
  ]);
  expect(await scan(source)).toEqual([]);
  const [first, second] = source.tables as [HistoryTableDocument, HistoryTableDocument];
  rmSync(join(root, second.paths[0] as string));
  await expect(scan(source)).rejects.toMatchObject({ code: 'NOT_FOUND', message: expect.stringContaining('"named/1/t2.csv"') });
  const wider = first.columns.map(({ name, type }) => ({ name, type: name === 'n' ? 'HUGEINT' : type }));
  const changed = { ...source, tables: [{ ...first, columns: wider }, first] };
  await expect(scan(changed)).rejects.toMatchObject({
    code: 'FAILED_PRECONDITION',
    message: expect.stringMatching(/\(in "named\/0\/t0\.parquet"\) has column "n" as INTEGER/),
  });
  expect(await scan({ ...clicks, name: 'none' })).toEqual([]);
  expect(await history.newestEventUs({ ...clicks, name: 'none' })).toBeUndefined();
  expect((await history.readState({ ...clicks, name: 'none' })).files).toEqual([]);
});

test('events that were archived under earlier definitions count as far as their values are of the types that are declared now', async () => {
  const at = (n: unknown, second: bigint) => ({ at: startUs + second * 1_000_000n, user_id: 1n, kind: 'view', n }) as never;
  const text = {
    ...clicks.events,
    columns: [
      { name: 'user_id', type: 'int32' },
      { name: 'kind', type: 'string' },
      { name: 'n', type: 'string' },
    ],
  };
  const earlier: SourceDocument = { ...clicks, events: text };
  const rows = [at('12', 0n), at('twelve', 1n), at(null, 2n)] as Record<string, never>[];
  const columns = Object.fromEntries(Object.keys(rows[0] as object).map((name) => [name, rows.map((row) => row[name] as never)]));
  const staged = { columns, offsets: [0n, 1n, 2n], late: [false, false, false], partition: '0' };
  staged.columns.user_id = [1, 1, 1] as never;
  await archive.stageEvents(earlier, staged, (file) => archive.keep(earlier, 'a', file));
  const now: Click = { atUs: startUs, user: 1n, kind: 'buy', n: 3n, x: 0.5, id: null };
  await archiveEvents(archive, clicks, [now], [3n], '0');
  expect(await scan(clicks)).toEqual([
    [1n, startUs, 3n, false, 0.5],
    [1n, startUs, 12n, false, null],
    [1n, startUs + 2_000_000n, null, false, null],
  ]);
  const projection = await history.openProjection(activity, clicks, never());
  expect(projection.invalid).toEqual({ events: 1, reasons: [{ reason: 'type', column: 'n', events: 1 }] });
  projection.release();
});

test('what a staged file says is what its events say, in its order', async () => {
  await fc.assert(
    fc.asyncProperty(withIds(true), fc.boolean(), async (events, isWide) => {
      const base = isWide ? (1_773_136_800_000n << 64n) | 7n : 41n;
      const offsets = events.map((_, at) => base + BigInt(at >> 1));
      await archive.stageEvents(clicks, stagedOf(events, offsets, '0'), async (file) => {
        const read = await history.readEvents(activity, clicks, file, never());
        const kept = events
          .map((event, at) => ({ event, offset: offsets[at] }))
          .filter(({ event }) => isValid(event) && event.user !== null);
        expect(rowsOf(read)).toEqual(kept.map(({ event }) => rowOf(event)));
        expect(read.offsets).toEqual(kept.map(({ offset }) => offset));
      });
    }),
    { numRuns: 50 },
  );
}, 60_000);
