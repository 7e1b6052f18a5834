/**
 * Incident 2: training used the hour of the day in UTC, serving the user's local hour. First that both are other features, then that
 * there is one function for both paths here, that no time without a zone gets in, and that a table made the old way is found.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writeTables } from '../integration/make-store.ts';
import { runProgram } from '../support/run-program.ts';
import { type PythonProcess, startPython } from '../support/start-python.ts';
import { applyRepository, cliPath, type ServerProcess, startServer } from '../support/start-server.ts';

const directory = mkdtempSync(join(tmpdir(), 'featherflight-incident-'));
let server: ServerProcess;
let python: PythonProcess;

const definitions = (source: string) => `
import { batchSource, entity, featureView, onDemandFeatureView, parquet } from 'featherflight';
export const user = entity('user', { joinKeys: { user_id: 'int64' } });
export const visits = batchSource('visits', { table: parquet('data/visits.parquet'), eventTimestamp: 'event_timestamp', ${source} });
export const visit = featureView('visit', { entities: [user], source: visits, features: { page: { type: 'string' } } });
export const clock = onDemandFeatureView('clock', {
  request: { user_timezone: 'string' }, inputs: [visit.select('page')], features: { hour_of_day: 'int32' },
  transform: ({ request, now }) => ({ hour_of_day: now.in(request.user_timezone as string).hour }),
});
`;

/** Written by a back end in New York, as its wall clock was: a page an hour. */
const visits = `
  select u::bigint as user_id, timestamp '2026-03-05 00:00:00' + to_hours(h) as event_timestamp, 'page ' || h as page
  from range(1, 5) as a(u), range(0, 700) as b(h)`;

beforeAll(async () => {
  mkdirSync(join(directory, 'features'));
  mkdirSync(join(directory, 'data'));
  const config = `import { defineConfig } from 'featherflight';\nexport default defineConfig({ project: 'hours' });\n`;
  writeFileSync(join(directory, 'featherflight.config.ts'), config);
  await writeTables(directory, [['data/visits.parquet', visits]]);
});

afterAll(async () => {
  await python?.close();
  await server?.stop();
  rmSync(directory, { recursive: true, force: true });
});

it('lets no times without a zone in: apply refuses the source and says what to declare', async () => {
  writeFileSync(join(directory, 'features/hours.ts'), definitions(''));
  const { status, stderr } = await runProgram(process.execPath, [cliPath, '-C', directory, 'apply', '--yes']);
  expect(status).toBe(1);
  expect(stderr).toMatch(/"visits".*"event_timestamp".*timezone/s);
  writeFileSync(join(directory, 'features/hours.ts'), definitions(`timezone: 'America/New_York', ambiguousTime: 'earlier'`));
  await applyRepository(directory);
  server = await startServer(directory);
  const environment = { FEATHERFLIGHT_URL: server.url };
  python = startPython(fileURLToPath(new URL('./time_zone_leak.py', import.meta.url)), environment);
  await expect(
    python.run(`store.get_historical_features(rows().assign(event_timestamp=lambda f: f["event_timestamp"].dt.tz_localize(None)),
      features=["clock:hour_of_day"])`),
  ).rejects.toMatchObject({ type: 'InvalidArgumentError', message: expect.stringContaining('timezone="UTC"') });
});

it('bites in the notebook: what was trained on is not what is served', async () => {
  const same = await python.run('float((notebook(rows()) == back_end(rows())).mean())');
  expect(same).toBe(0);
});

it('cannot happen here: training and serving run one function, and give the local hour on both sides of a change of clocks', async () => {
  const found = await python.run(`
    frame = rows()
    answer = store.get_historical_features(frame, features=["clock:hour_of_day", "visit:page"], progress=False).to_pandas()
    local = frame["event_timestamp"].dt.tz_convert("America/New_York").dt.tz_localize(None)
    hours = ((local - pd.Timestamp("2026-03-05")) // pd.Timedelta("1h")).astype(int)
    late = answer["event_timestamp"] > pd.Timestamp("2026-03-05T05:00Z")
    pages = answer["page"][late].str[5:].astype(int)
    {"same": bool((answer["hour_of_day"] == back_end(frame)).all()), "rows": len(frame), "ahead": int((pages > hours[late]).sum()),
     "current": float((pages == hours[late]).mean())}
  `);
  expect(found).toEqual({ same: true, rows: 388, ahead: 0, current: expect.any(Number) });
  expect((found as { current: number }).current).toBeGreaterThan(0.95);
  const both = await python.run(`
    online = store.get_online_features(["clock:hour_of_day"], entities={"user_id": list(ZONES)}, request={"user_timezone": list(ZONES.values())})
    asked = pd.DataFrame({"user_id": list(ZONES), "user_timezone": list(ZONES.values())})
    offline = store.get_historical_features(asked, features=["clock:hour_of_day"], at=online.evaluated_at, progress=False).to_arrow()
    [online.to_arrow().column("hour_of_day").to_pylist(), offline.column("hour_of_day").to_pylist()]
  `);
  const [online, offline] = both as [number[], number[]];
  expect(online).toEqual(offline);
  expect(new Set(online).size).toBeGreaterThan(1);
});

it('is found in the table of the notebook, and what was made as it is served is clean', async () => {
  const audit = (make: string) =>
    python.run(`
      report = store.audit_leaks(table=rows().assign(hour_of_day=${make}(rows())), progress=False)
      [report.result, report.features[0].verdict, report.features[0].agree, report.features[0].rows, list(report.unmapped)]
    `);
  expect(await audit('notebook')).toEqual(['FAIL', 'unexplained', 0, 388, ['user_timezone']]);
  expect(await audit('back_end')).toEqual(['PASS', 'clean', 388, 388, ['user_timezone']]);
});
