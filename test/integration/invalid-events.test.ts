/** A history of two tables with events that count nowhere: training sets leave them out and tell how many there are, and why. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type PythonProcess, startPython } from '../support/start-python.ts';
import { applyRepository, type ServerProcess, startServer } from '../support/start-server.ts';

const definitions = `
import { count, csv, entity, eventSource, json, streamFeatureView } from 'featherflight';
export const user = entity('user', { joinKeys: { user_id: 'int64' } });
export const clicks = eventSource('clicks', {
  history: [csv('data/old.csv'), json('data/new.json')],
  eventTimestamp: 'at', timezone: 'America/Bogota',
  columns: { user_id: 'int64', kind: { type: 'string', values: ['view', 'click'] } },
});
export const activity = streamFeatureView('activity', {
  entities: [user], source: clicks, features: { n: count({ window: 'lifetime' }), clicks: count({ window: '1d', where: "kind = 'click'" }) },
});
`;
const store = mkdtempSync(join(tmpdir(), 'featherflight-invalid-'));
let server: ServerProcess;
let python: PythonProcess;

beforeAll(async () => {
  for (const folder of ['features', 'data']) mkdirSync(join(store, folder));
  writeFileSync(join(store, 'features/clicks.ts'), definitions);
  const config = `import { defineConfig } from 'featherflight';\nexport default defineConfig({ project: 'invalid' });\n`;
  writeFileSync(join(store, 'featherflight.config.ts'), config);
  // 05:00 in Bogotá is 10:00 in UTC.
  const old = ['user_id,kind,at', '1,click,2026-03-10 05:00:00', '1,clik,2026-03-10 05:00:00', '2,view,', '3,clik,'];
  writeFileSync(join(store, 'data/old.csv'), `${old.join('\n')}\n`);
  const fresh = [
    { at: '2026-03-10T11:00:00Z', user_id: 1, kind: 'view', page: 7 },
    { at: '2026-03-10T11:00:00Z', user_id: 2, kind: null },
    { at: '2026-03-10T11:00:00Z', user_id: null, kind: 'view' },
  ];
  writeFileSync(join(store, 'data/new.json'), fresh.map((row) => `${JSON.stringify(row)}\n`).join(''));
  await applyRepository(store);
  server = await startServer(store);
  python = startPython(fileURLToPath(new URL('./client.py', import.meta.url)), { FEATHERFLIGHT_URL: server.url });
});
afterAll(async () => {
  await python?.kill();
  await server?.stop();
  rmSync(store, { recursive: true, force: true });
});

const ask = (time: string) => `
import datetime as dt
frame = pa.table({"user_id": [1, 2, 3], "event_timestamp": pa.array([dt.datetime.fromisoformat("${time}")] * 3, pa.timestamp("us", tz="UTC"))})
job = store.get_historical_features(frame, ["activity:n", "activity:clicks"])
table = job.to_arrow()
[table["n"].to_pylist(), table["clicks"].to_pylist(), [[e.view, e.source, e.invalid, [[r.reason, r.column, r.events] for r in e.reasons]] for e in job.report.events]]`;

it('counts them in the report, and in no feature (rule 6.1)', async () => {
  const invalid = [
    ...['activity', 'clicks', 3],
    [
      ['no_time', 'at', 2],
      ['vocabulary', 'kind', 2],
    ],
  ];
  expect(await python.run(ask('2026-03-10T10:00:00+00:00'))).toEqual([[0, 0, 0], [0, 0, 0], [invalid]]);
  expect(await python.run(ask('2026-03-10T10:00:01+00:00'))).toEqual([[1, 0, 0], [1, 0, 0], [invalid]]);
  expect(await python.run(ask('2026-03-10T11:00:01+00:00'))).toEqual([[2, 1, 0], [1, 0, 0], [invalid]]);
});
