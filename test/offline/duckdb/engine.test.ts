/** The engine as scanner: streams that end before their end are errors, bounds are kept, and a failed query harms no other. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Engine, openEngine, type Session } from '../../../src/offline/duckdb/engine.ts';

const folder = mkdtempSync(join(tmpdir(), 'engine-'));
const rowsMany = 3_000_000;
let engine: Engine;

beforeAll(async () => {
  engine = await openEngine({ threads: 2, memory: '200MB', spillDirectory: join(folder, 'spill'), spillLimit: '20MB' });
  await engine.session(undefined, (session) =>
    session.rows(`copy (select i, case when i = 2500000 then 'x' else i::varchar end as text from range(${rowsMany}) r(i))
      to '${folder}/many.parquet' (format parquet, row_group_size 100000)`),
  );
});

afterAll(() => {
  engine.close();
  rmSync(folder, { recursive: true, force: true });
});

const whole = [
  ['a range', `select i from range(${rowsMany}) r(i)`],
  ['a file', `select i from '$/many.parquet'`],
  ['a sorted file', `select i from '$/many.parquet' order by i % 1000, i`],
  ['an aggregate', `select i % 7 as k, count(*) from '$/many.parquet' group by k`],
  ['one row', 'select 1 as i'],
  ['no row', 'select 1 as i where false'],
] as const;

/** Each fails at row 2,500,000 of 3,000,000 or later. */
const failing = [
  ['a cast in a range', `select case when i = 2500000 then 'x' else '1' end::int as n from range(${rowsMany}) r(i)`],
  ['a cast in a file', `select text::int as n from '$/many.parquet'`],
  ['a cast in a sorted file', `select text::int as n from '$/many.parquet' order by i`],
  ['a cast after the sort', `select text::int as n from (select * from '$/many.parquet' order by i)`],
  ['a filter', `select i from '$/many.parquet' where text::int >= 0`],
  ['the last row', `select case when i = ${rowsMany - 1} then 'x' else '1' end::int as n from range(${rowsMany}) r(i)`],
] as const;

describe('a stream', () => {
  test.each(whole)('of %s gives every row', async (_, sql) => {
    const [row] = await engine.session(undefined, (session) => session.rows(`select count(*) as rows from (${here(sql)})`));
    expect(await count(undefined, sql)).toBe(Number(row?.rows));
  });

  test.each(failing)('whose query fails in %s never looks like a shorter answer', async (_, sql) => {
    await expect(count(undefined, sql)).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringMatching(/cast|convert/i),
    });
    expect(await count(undefined, 'select 1 as i')).toBe(1);
  });

  test.each([...whole.slice(0, 3), failing[1]])('of %s that is aborted rejects with the reason', async (_, sql) => {
    const controller = new AbortController();
    const reason = new Error('the client left');
    let seen = 0;
    const running = engine.session(controller.signal, async (session) => {
      for await (const chunk of session.stream(here(sql))) {
        seen += chunk.rowCount;
        if (seen > 10_000) controller.abort(reason);
      }
    });
    await expect(running).rejects.toBe(reason);
    expect(seen).toBeLessThan(rowsMany);
  });

  test('aborted at any moment rejects: nothing in between passes for an end', async () => {
    for (let delay = 0; delay < 40; delay += 2) {
      const controller = new AbortController();
      const timer = setTimeout(() => controller.abort(new Error('late')), delay);
      const outcome = await count(controller.signal, `select i from '$/many.parquet' order by i % 1000, i`).catch(
        (error: Error) => error.message,
      );
      clearTimeout(timer);
      expect(['late', rowsMany]).toContain(outcome);
    }
  });

  test('aborted just before its query begins, or while it sorts, rejects long before it would end', async () => {
    for (const wait of [() => undefined, () => Promise.resolve(), () => new Promise(setImmediate)]) {
      const controller = new AbortController();
      const slow = `select max(md5(a.i::varchar || b.i::varchar)) as i from range(40000) a(i), range(40000) b(i)`;
      const running = engine.session(controller.signal, async (session) => {
        const rows = session.rows(slow);
        await wait();
        controller.abort(new Error('early'));
        return await rows;
      });
      const started = performance.now();
      await expect(running).rejects.toThrow('early');
      expect(performance.now() - started).toBeLessThan(20_000);
    }
  });

  test('that its reader leaves early sets the session free', async () => {
    await engine.session(undefined, async (session) => {
      for await (const chunk of session.stream(here(`select i from '$/many.parquet'`))) if (chunk.rowCount > 0) break;
      expect(await session.rows('select 42 as answer')).toEqual([{ answer: 42 }]);
    });
  });

  test('has columns of any name, that of its own mark included', async () => {
    const names = await engine.session(undefined, (session) => session.describe('select 1 as "_end", 2 as "a""b"'));
    expect(names.map(({ name }) => name)).toEqual(['_end', 'a"b']);
    expect(await count(undefined, `select true as "_END", i from range(5000) r(i)`)).toBe(5000);
  });
});

describe('bounds', () => {
  test('a sort beyond memory and spill is RESOURCE_EXHAUSTED, says what to raise, and the next query works', async () => {
    const sql = `select md5(i::varchar) || md5((i + 1)::varchar) as text from range(6000000) r(i) order by text`;
    await expect(count(undefined, sql)).rejects.toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      message: expect.stringContaining('offlineEngine'),
    });
    expect(await count(undefined, `select i from '$/many.parquet'`)).toBe(rowsMany);
  });

  test('queries run beside each other, and one that fails harms no other', async () => {
    const runs = [0, 1, 2, 3].map((at) => (at % 2 === 0 ? count(undefined, whole[2][1]) : count(undefined, failing[2][1])));
    const results = await Promise.allSettled(runs);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected']);
  });
});

describe('what the host must not change', () => {
  test("the session's zone is UTC", async () => {
    const sql = `select extract(hour from timestamptz '2026-03-10 12:00:00+00') as hour, current_setting('TimeZone') as zone`;
    expect(await engine.session(undefined, (session) => session.rows(sql))).toEqual([{ hour: 12n, zone: 'UTC' }]);
  });

  test('a file that is rewritten within a second is read anew, all of it', async () => {
    const path = join(folder, 'rewritten.parquet');
    const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
    const writer = await instance.connect();
    for (let round = 0; round < 30; round++) {
      await writer.run(`copy (select ${round} as a, ${1_000_000 + round * 257} as b) to '${path}' (format parquet)`);
      const rows = await engine.session(undefined, (session: Session) =>
        session.rows(`select a, b from read_parquet('${path}')`),
      );
      expect(rows).toEqual([{ a: round, b: 1_000_000 + round * 257 }]);
    }
    writer.closeSync();
    instance.closeSync();
  });
});

function here(sql: string): string {
  return sql.replaceAll('$/', `${folder}/`);
}

function count(signal: AbortSignal | undefined, sql: string): Promise<number> {
  return engine.session(signal, async (session) => {
    let rows = 0;
    for await (const chunk of session.stream(here(sql))) rows += chunk.rowCount;
    return rows;
  });
}
