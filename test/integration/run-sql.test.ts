/** SQL sources by real processes: a backfill killed at random instants and taken up again, training and online, and a server's clock. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { listTickFiles } from '../../src/offline/ticks/tick-folder.ts';
import { runCommand } from '../cli/run-command.ts';
import { applyRepository, cliPath, type ServerProcess, startServer } from '../support/start-server.ts';
import { makeStore, writeTables } from './make-store.ts';

let directory: string;
let server: ServerProcess | undefined;
beforeEach(async () => {
  directory = await makeStore();
  writeFileSync(join(directory, 'features/sql.ts'), definitions('1d'));
  await writeTables(directory, [['data/visits.parquet', visits]]);
});
afterEach(async () => {
  await server?.stop();
  server = undefined;
});

const definitions = (every: string) => `
import { entity, eventSource, featureView, parquet, sqlSource } from 'featherflight';
export const visitor = entity('visitor', { joinKeys: { visitor_id: 'int64' } });
export const visits = eventSource('visits', {
  history: parquet('data/visits.parquet'), eventTimestamp: 'happened', columns: { visitor_id: 'int64', page: 'string' },
});
export const visitCounts = sqlSource('visit_counts', {
  inputs: [visits], every: '${every}', offset: '${every === '1d' ? '2h' : '0'}',
  sql: 'select visitor_id, count(*) as visits, max(happened) as newest from visits group by visitor_id',
});
export const counted = featureView('counted', {
  entities: [visitor], source: visitCounts, ttl: '2d', features: { visits: { type: 'int64', default: 0 }, newest: { type: 'timestamp' } },
});
`;

/** Ten visitors, each once an hour from the first of January on, for 100 days. */
const visits = `
  select v::bigint as visitor_id, 'page ' || v as page, timestamptz '2026-01-01 00:30:00+00' + to_hours(h) as happened
  from range(0, 10) as a(v), range(0, 2400) as b(h)`;

async function json(args: readonly string[]): Promise<Record<string, unknown>> {
  const { status, stdout, stderr } = await runCommand([...args, '--json'], { directory });
  expect({ status, stderr }).toMatchObject({ status: 0 });
  return JSON.parse(stdout) as Record<string, unknown>;
}

function tickFiles(): string[] {
  const folder = join(directory, '.featherflight/storage/sql/visit_counts');
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('.'));
}

const range = ['--start', '2026-01-02T00:00:00Z', '--end', '2026-04-01T00:00:00Z'];

test('a backfill that is killed at random instants goes on where it was, and trains as it should', async () => {
  await applyRepository(directory);
  let kills = 0;
  for (;;) {
    const child = spawn(process.execPath, [cliPath, '-C', directory, 'run-sql', 'visit_counts', ...range], { stdio: 'ignore' });
    const gone = once(child, 'exit');
    const before = kills === 0 ? 0 : tickFiles().filter((name) => name.endsWith('.parquet')).length;
    if (kills < 5) {
      // Once it works at ticks: whatever instant of one that is.
      while (child.exitCode === null) {
        const files = safely(() => tickFiles().filter((name) => name.endsWith('.parquet')).length);
        // The last time when it merges.
        if (kills < 4 ? files > before + kills * 2 : tickFiles().some((name) => name.includes('.merged.'))) break;
        await pause(kills < 4 ? 5 : 1);
      }
      await pause(Math.random() * (kills < 4 ? 40 : 10));
      child.kill('SIGKILL');
      await gone;
      kills += 1;
      continue;
    }
    expect((await gone)[0]).toBe(0);
    break;
  }
  expect(await json(['run-sql', 'visit_counts', ...range])).toMatchObject({ of: 90, ran: 0, skipped: 90, not_due: 0 });
  const folder = join(directory, '.featherflight/storage/sql/visit_counts');
  const files = await listTickFiles(join(folder, readdirSync(folder)[0] as string));
  // A file of its own for each tick, until there are 64 of them; each tick once, and nothing left of the runs that were killed.
  expect(files.length).toBeLessThan(64);
  const ticks = files.flatMap((file) => [...file.ticks]);
  expect([ticks.length, new Set(ticks).size]).toEqual([90, 90]);
  expect(tickFiles().filter((name) => /draft|lock/.test(name))).toEqual([]);
  const described = await runCommand(['describe', 'visit_counts', '--json'], { directory });
  expect(JSON.parse(described.stdout).rows[0]).toMatchObject({
    first_tick: '2026-01-02T00:00:00.000000Z',
    last_tick: '2026-04-01T00:00:00.000000Z',
    ticks: 90,
    missing_ticks: 0,
  });

  const times = [
    '2026-01-01T12:00:00',
    '2026-01-02T01:59:59.999999',
    '2026-01-02T02:00:00',
    '2026-02-15T00:00:00',
    '2026-04-01T02:00:00',
    '2026-06-01T00:00:00',
  ];
  const frame = join(directory, 'frame.csv');
  writeFileSync(frame, `visitor_id,event_timestamp\n${times.map((time) => `3,${time}Z`).join('\n')}\n`);
  const out = join(directory, 'out.csv');
  const asked = ['--entities', frame, '--features', 'counted:visits', '--statuses', '--out', out];
  expect(await runCommand(['get-historical-features', ...asked], { directory })).toMatchObject({ status: 0, stderr: '' });
  const [heading, ...lines] = readFileSync(out, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(','));
  const column = (name: string) => lines.map((line) => line[heading?.indexOf(name) as number]);
  // 24 visits a day before midnight of the day whose run had begun by then; the last one's tick is older than the ttl.
  expect(column('visits')).toEqual(['0', '0', '24', String(44 * 24), String(90 * 24), '0']);
  expect(column('visits__status')).toEqual(['NOT_FOUND', 'NOT_FOUND', 'PRESENT', 'PRESENT', 'PRESENT', 'OUTSIDE_MAX_AGE']);
});

test('materialize runs the ticks of its range, and a server runs them when it is asked and when they are due', async () => {
  await applyRepository(directory);
  const plain = await runCommand(
    ['get-historical-features', '--features', 'counted:visits', '--entities', frameOf(), '--out', '-'],
    { directory },
  );
  expect(plain).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('featherflight run-sql visit_counts --start … --end …'),
  });
  await json(['materialize', 'counted', '--start', '2026-01-05T00:00:00Z', '--end', '2026-01-07T00:00:00Z']);
  expect(
    await json(['run-sql', 'visit_counts', '--start', '2026-01-05T00:00:00Z', '--end', '2026-01-08T00:00:00Z']),
  ).toMatchObject({
    ran: 1,
    skipped: 3,
    rows: 10,
  });
  writeFileSync(join(directory, 'features/sql.ts'), definitions('2s'));
  await applyRepository(directory);
  server = await startServer(directory);
  // A source that has never run as it is defined now begins with the latest tick, and goes on by the clock.
  await expect.poll(() => server?.log().match(/tick of an SQL source has run/g)?.length ?? 0).toBeGreaterThan(2);
  const asked = [
    'run-sql',
    'visit_counts',
    '--start',
    '2026-01-05T00:00:00Z',
    '--end',
    '2026-01-05T00:00:05Z',
    '--url',
    server.url,
  ];
  expect(await json(asked)).toMatchObject({ of: 3, ran: 3, rows: 30, first: '2026-01-05T00:00:00.000000Z' });
  expect(await json([...asked, '--again'])).toMatchObject({ ran: 3, skipped: 0 });
  expect(await runCommand(['run-sql', 'visit_count', '--url', server.url], { directory })).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('visit_counts'),
  });
  await json(['materialize-incremental', 'counted', '--url', server.url]);
  const online = await json([
    'get-online-features',
    '--features',
    'counted:visits',
    '--entities',
    '{"visitor_id": ["3"]}',
    '--url',
    server.url,
  ]);
  expect(online.columns).toMatchObject({ visits: { values: ['2400'], statuses: ['PRESENT'] } });
});

function frameOf(): string {
  const path = join(directory, 'frame.csv');
  writeFileSync(path, 'visitor_id,event_timestamp\n3,2026-02-01T00:00:00Z\n');
  return path;
}

/** Before the first tick there is no folder. */
function safely(count: () => number): number {
  try {
    return count();
  } catch {
    return 0;
  }
}
