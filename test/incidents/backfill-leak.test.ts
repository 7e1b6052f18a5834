/**
 * Incident 3: `user_category_entropy` was computed over the whole history, the future included: better offline, nothing online. First the
 * notebook that did it, then why it cannot happen here, and how it is found in a table that was made like that.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { copyTemplate } from '../../src/demo/copy-template.ts';
import { generateStreamRec, streamRecSpan } from '../../src/demo/generate-streamrec.ts';
import { runProgram } from '../support/run-program.ts';
import { type PythonProcess, startPython } from '../support/start-python.ts';
import { applyRepository, cliPath, type ServerProcess, startServer } from '../support/start-server.ts';

const directory = mkdtempSync(join(tmpdir(), 'featherflight-incident-'));
const repository = join(directory, 'streamrec');
let server: ServerProcess;
let python: PythonProcess;

beforeAll(async () => {
  await copyTemplate('streamrec', repository);
  await generateStreamRec(join(repository, 'data'), { users: 600, items: 200, events: 40_000, impressions: 3000 });
  await applyRepository(repository);
  const range = ['--start', streamRecSpan.start, '--end', streamRecSpan.end];
  const ticks = await runProgram(process.execPath, [cliPath, '-C', repository, 'run-sql', 'user_taste_daily', ...range]);
  if (ticks.status !== 0) throw new Error(ticks.stderr);
  server = await startServer(repository);
  python = startPython(fileURLToPath(new URL('./backfill_leak.py', import.meta.url)), {
    FEATHERFLIGHT_URL: server.url,
    STREAMREC_DATA: join(repository, 'data'),
  });
}, 300_000);

afterAll(async () => {
  await python?.close();
  await server?.stop();
  rmSync(directory, { recursive: true, force: true });
});

it('bites in the notebook: better offline, and nothing of it is there when it is served', async () => {
  const found = (await python.run(`
    table = backfill(frame)
    label = explores(table)
    known = midnight(table)
    rows = known.notna()
    offline = auc(table["user_category_entropy"][rows], label[rows])
    online = auc(known[rows], label[rows])
    another = float((~np.isclose(table["user_category_entropy"][rows], known[rows])).mean())
    {"offline": offline, "online": online, "another": another}
  `)) as { offline: number; online: number; another: number };
  expect(found.another).toBeGreaterThan(0.5);
  expect(Math.abs(found.offline - found.online)).toBeGreaterThan(0.02);
});

it('cannot happen here: the same SQL without any bound of time gives what was known, row by row', async () => {
  const found = (await python.run(`
    answer = store.get_historical_features(frame, features=["user_taste:user_category_entropy"], progress=False).to_pandas()
    value = answer["user_category_entropy"]
    want = midnight(frame).where(frame["event_timestamp"] >= pd.Timestamp("2026-01-02T03:00Z"))
    have = value.notna()
    {"have": int(have.sum()), "worst": float((value[have] - want[have]).abs().max())}
  `)) as { have: number; worst: number };
  expect(found.have).toBeGreaterThan(1000);
  expect(found.worst).toBeLessThan(1e-9);
  const audit = await python.run(`
    own = store.audit_leaks(frame, features="ranker_v1", progress=False)
    [own.result, list(own.leaking), sorted({one.verdict for one in own.features})]
  `);
  expect(audit).toMatchObject(['PASS', [], expect.not.arrayContaining(['leak'])]);
});

it.each([
  // The SQL source gives at its last tick what the notebook computed.
  ['user_taste', 'equal to the value 30d after T'],
  // Its windows of 30 days give that at no time: what gives the notebook away is that it knows no time.
  ['user_activity', 'equal to one value for each key at whatever time'],
])('is found in the table of the notebook, by its name and reach, against %s', async (view, why) => {
  const found = (await python.run(`
    table = backfill(frame).assign(user_30d_views=store.get_historical_features(
      frame, features=["user_activity:user_30d_views"], progress=False).to_pandas()["user_30d_views"])
    report = store.audit_leaks(table=table, columns={"user_category_entropy": "${view}:user_category_entropy"}, progress=False)
    [leak] = [one for one in report.features if one.column == "user_category_entropy"]
    print(report)
    {"result": report.result, "leaking": list(report.leaking), "reach": leak.reach_seconds, "text": leak.text, "rows": leak.leak_rows,
     "html": report._repr_html_(), "shown": str(report), "example": dict(leak.examples[0])}
  `)) as Record<string, unknown>;
  expect(found).toMatchObject({ result: 'FAIL', leaking: ['user_category_entropy'] });
  expect(found.reach).toBeGreaterThan(14 * 86_400);
  expect(found.reach).toBeLessThan(61 * 86_400);
  expect(found.rows).toBeGreaterThan(1000);
  expect(found.text).toContain(`rest on what happened after their time: ${why}`);
  expect(found.html).toContain('<td style="text-align:left">leak</td>');
  expect(found.shown).toContain('leak audit of 3,000 rows: FAIL, leaking: user_category_entropy');
  expect(found.example).toMatchObject({
    keys: { user_id: expect.any(String) },
    event_timestamp: expect.stringMatching(/^2026-/),
  });
});

it('is found on the command line too, whose status says so', async () => {
  await python.run(
    `backfill(frame)[["user_id", "event_timestamp", "user_category_entropy"]].to_parquet("${directory}/table.parquet")`,
  );
  const args = ['validate', 'leaks', '--url', server.url, '--entities', `${directory}/table.parquet`, '--table'];
  const columns = ['--columns', 'user_category_entropy=user_taste:user_category_entropy'];
  const { status, stdout } = await runProgram(process.execPath, [cliPath, '-C', repository, ...args, ...columns]);
  expect(status).toBe(1);
  expect(stdout).toMatch(/^FAIL {2}leaking: user_category_entropy$/m);
  for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  const honest = [
    'validate',
    'leaks',
    '--url',
    server.url,
    '--entities',
    join(repository, 'data/frame.parquet'),
    '--service',
    'ranker_v1',
  ];
  const own = await runProgram(process.execPath, [cliPath, '-C', repository, ...honest]);
  expect({ status: own.status, stderr: own.stderr }).toMatchObject({ status: 0 });
  for (const line of own.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  const kept = (await (await fetch(`${server.http}/api/v1/reports?kind=leaks`)).json()) as { reports: { result: string }[] };
  expect(kept.reports.map(({ result }) => result)).toEqual(expect.arrayContaining(['FAIL', 'PASS']));
});

it('is refused where a table says nothing of keys, times or features, and says what to do', async () => {
  const audit = (columns: string) => python.run(`store.audit_leaks(table=backfill(frame)[${columns}], progress=False)`);
  await expect(audit('["event_timestamp", "user_category_entropy"]')).rejects.toThrow(
    /no column of the table is known as a feature/,
  );
  const typed =
    '["event_timestamp", "user_category_entropy"]], columns={"user_category_entropy": "user_taste:user_category_entropy"}';
  await expect(python.run(`store.audit_leaks(table=backfill(frame)[${typed}, progress=False)`)).rejects.toMatchObject({
    type: 'InvalidArgumentError',
    message: expect.stringContaining('needs join key "user_id", but the frame has no column "user_id"'),
  });
  await expect(python.run('store.audit_leaks(frame)')).rejects.toThrow(/say what to audit with features/);
});
