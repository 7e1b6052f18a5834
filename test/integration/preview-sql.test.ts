/** `preview` of views over SQL sources: it runs the ticks that the frame needs, for itself alone, and gives what a backfill then gives. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runCommand } from '../cli/run-command.ts';
import { applyRepository, type ServerProcess, startServer } from '../support/start-server.ts';
import { writeTables } from './make-store.ts';

const definitions = (sql = 'count(*)', every = '1d') => `
import { entity, eventSource, featureView, fitted, parquet, sqlSource, featureService } from 'featherflight';
export const visitor = entity('visitor', { joinKeys: { visitor_id: 'int64' } });
export const visits = eventSource('visits', {
  history: parquet('data/visits.parquet'), eventTimestamp: 'happened', columns: { visitor_id: 'int64' },
});
export const daily = sqlSource('daily', {
  inputs: [visits], every: '${every}', offset: '2h',
  sql: 'select visitor_id, ${sql} as visits, cast(count(*) as double) as usual from visits where happened >= $tick - interval 1 day group by visitor_id',
});
const features = { visits: { type: 'int64', default: 0 } } as const;
export const recent = featureView('recent', { entities: [visitor], source: daily, ttl: '2d', features });
export const ever = featureView('ever', { entities: [visitor], source: daily, features });
export const typical = featureView('typical', {
  entities: [visitor], source: daily, ttl: '2d', features: { usual: { type: 'float64', default: fitted('mean') } },
});
export const both = featureService('both', { features: [recent, ever.as('older')] });
`;

let directory: string;
let server: ServerProcess | undefined;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'featherflight-preview-'));
  for (const folder of ['features', 'data']) mkdirSync(join(directory, folder));
  writeFileSync(join(directory, 'featherflight.config.ts'), `export default { project: 'preview' };\n`);
  writeFileSync(join(directory, 'features/sql.ts'), definitions());
  // Visitor 1 comes every hour of January, visitor 2 on its first day alone.
  const hours = (visitor: number, count: number) =>
    `select ${visitor}::bigint as visitor_id, timestamptz '2026-01-01 00:30:00+00' + to_hours(h) as happened from range(0, ${count}) as a(h)`;
  await writeTables(directory, [['data/visits.parquet', `${hours(1, 31 * 24)} union all ${hours(2, 24)}`]]);
});
afterEach(async () => {
  await server?.stop();
  server = undefined;
  rmSync(directory, { recursive: true, force: true });
});

function writeFrame(...rows: readonly string[]): string[] {
  writeFileSync(join(directory, 'frame.csv'), `visitor_id,event_timestamp\n${rows.join('\n')}\n`);
  return ['--entities', 'frame.csv', '--statuses'];
}

async function preview(name: string, ...rows: readonly string[]) {
  const { status, stdout, stderr } = await runCommand(['preview', name, ...writeFrame(...rows), '--json'], { directory });
  const lines =
    status === 0
      ? stdout
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as Record<string, unknown>)
      : [];
  const refused = status === 0 ? stderr : (JSON.parse(stderr) as { error: { message: string } }).error.message;
  return { status, stderr: refused, lines };
}

const results = () => join(directory, '.featherflight/storage/sql');

it('runs what the ttl asks for, before anything is applied, and leaves nothing', async () => {
  const shown: string[] = [];
  const asked = writeFrame(
    '1,2026-01-20T01:59:59Z',
    '1,2026-01-20T02:00:00Z',
    '2,2026-01-20T12:00:00Z',
    '9,2026-01-20T12:00:00Z',
  );
  const { status, stdout, stderr } = await runCommand(['preview', 'recent', ...asked], {
    directory,
    onProgress: (line) => shown.push(line),
  });
  expect({ status, stderr }).toMatchObject({ status: 0 });
  // Ticks of the 19th and the 20th, and those no older than two days at the first row: the 18th is older by two hours.
  expect(stderr).toContain('ran 2 ticks of daily for this preview alone, of 2 rows\n');
  expect(shown).toContain('daily: 2 of 2 ticks, 2026-01-20T00:00:00.000000Z');
  expect(stdout).toMatch(/^1 +2026-01-20T01:59:59.000000Z +24 +PRESENT +2026-01-19T00:00:00.000000Z/m);
  expect(stdout).toMatch(/^1 +2026-01-20T02:00:00.000000Z +24 +PRESENT +2026-01-20T00:00:00.000000Z/m);
  expect(stdout).toMatch(/^2 +2026-01-20T12:00:00.000000Z +0 +NOT_FOUND/m);
  expect(existsSync(results())).toBe(false);
  expect(readdirSync(join(directory, '.featherflight/preview'))).toEqual([]);
});

it('runs all since the first row where no ttl ends them, or a default is fitted: as a backfill then gives', async () => {
  const rows = ['1,2026-01-10T12:00:00Z', '2,2026-01-10T12:00:00Z', '3,2026-01-10T12:00:00Z', '1,2026-01-01T12:00:00Z', '2,'];
  const seen = await preview('both', ...rows);
  expect(seen.stderr).toContain('ran 11 ticks of daily for this preview alone, of 10 rows\n');
  expect(seen.lines.map((line) => [line.visits, line.older__visits, line.older__visits__status])).toEqual([
    ['24', '24', 'PRESENT'],
    ['0', '24', 'PRESENT'],
    ['0', '0', 'NOT_FOUND'],
    ['0', '0', 'NOT_FOUND'],
    ['0', '0', 'NOT_FOUND'],
  ]);
  const usual = await preview('typical', '3,2026-01-10T12:00:00Z');
  expect(usual.lines).toMatchObject([{ usual: 24, usual__status: 'NOT_FOUND' }]);
  await applyRepository(directory);
  const run = await runCommand(['run-sql', 'daily', '--start', '2026-01-01T00:00:00Z', '--end', '2026-01-10T12:00:00Z'], {
    directory,
  });
  expect(run.status).toBe(0);
  const csv = async (...args: string[]) => (await runCommand([...args, ...writeFrame(...rows)], { directory })).stdout;
  const applied = await csv('get-historical-features', '--service', 'both', '--out', '-');
  const fields = ['visits', 'visits__status', 'older__visits', 'older__visits__status', 'older__visits__event_timestamp'];
  const [heading, ...values] = applied
    .trim()
    .split('\n')
    .map((line) => line.split(','));
  const of = (line: readonly string[]) => fields.map((name) => line[heading?.indexOf(name) as number]);
  expect(values.map(of)).toEqual(seen.lines.map((line) => fields.map((name) => String(line[name] ?? ''))));
});

it('reads the ticks that a server has run and runs the others for itself; those of a changed statement are all its own', async () => {
  await applyRepository(directory);
  server = await startServer(directory);
  const run = ['run-sql', 'daily', '--start', '2026-01-19T00:00:00Z', '--end', '2026-01-19T00:00:00Z', '--url', server.url];
  expect((await runCommand(run, { directory })).status).toBe(0);
  const before = () =>
    readdirSync(results(), { recursive: true, encoding: 'utf8' }).filter(
      (name) => name.includes('2026') || name.includes('.parquet'),
    );
  const files = before();
  const seen = await preview('recent', '1,2026-01-20T02:00:00Z');
  expect(seen.stderr).toContain('ran 1 tick of daily');
  expect(seen.lines).toMatchObject([{ visits: '24', visits__event_timestamp: '2026-01-20T00:00:00.000000Z' }]);
  writeFileSync(join(directory, 'features/sql.ts'), definitions('2 * count(*)'));
  const changed = await preview('recent', '1,2026-01-20T02:00:00Z');
  expect(changed.stderr).toContain('ran 2 ticks of daily');
  expect(changed.lines).toMatchObject([{ visits: '48' }]);
  expect(before()).toEqual(files);
});

it('refuses what would be a backfill, by name and with what to do', async () => {
  writeFileSync(join(directory, 'features/sql.ts'), definitions('count(*)', '10m'));
  expect(await preview('ever', '1,2026-01-20T02:00:00Z')).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(
      /would run 27\d\d ticks of source "daily" \(2026-01-01T00:40:00.000000Z to 2026-01-20T00:00:00.000000Z\).*view "ever" has no ttl.*featherflight run-sql daily --start 2026-01-01T00:40/,
    ),
  });
  expect(await preview('typical', '1,2026-01-20T02:00:00Z')).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('view "typical" has a fitted default'),
  });
  expect(await preview('recent', '1,2026-01-05T02:00:00Z', '1,2026-01-20T02:00:00Z')).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('ask for rows whose times lie closer together'),
  });
  expect((await preview('recent', '1,2026-01-20T02:00:00Z')).stderr).toContain('ran 277 ticks');
});

it('answers rows without a time, and of a time to come', async () => {
  const { lines, stderr } = await preview('recent', '1,', '2,');
  expect(lines).toMatchObject([{ visits: '0' }, { visits: '0' }]);
  expect(stderr).toContain('ran 2 ticks');
  const year = new Date().getUTCFullYear() + 1;
  expect((await preview('recent', `1,${year}-06-01T00:00:00Z`)).lines).toMatchObject([{ visits__status: 'NOT_FOUND' }]);
});
