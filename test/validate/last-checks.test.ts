/** Metrics tell the last check of each feature, whichever others were checked since, and whoever kept its report. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { createMetrics } from '../../src/http/metrics.ts';
import { createLastChecks } from '../../src/validate/last-checks.ts';
import type { ParityFeature } from '../../src/validate/parity/report.ts';
import { openReports, type ReportEnvelope } from '../../src/validate/reports.ts';

const directory = mkdtempSync(join(tmpdir(), 'last-checks-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
let folders = 0;

function open(isDefined: (view: string, feature: string) => boolean = () => true) {
  const folder = join(directory, String(folders++));
  const reports = openReports({ directory: folder });
  const checks = createLastChecks<ParityFeature>({ kind: 'parity', reports, isDefined });
  const metrics = createMetrics();
  metrics.watchParity(checks.read);
  const keep = async (second: number, results: Readonly<Record<string, ReportEnvelope['result']>>, against?: string) => {
    const features = Object.entries(results).map(([feature, result]) => ({
      ...{ view: 'v', feature, against, result, share_within: 0.5, worst: [{ keys: { user_id: 'somebody' } }] },
    }));
    const created = new Date(1_700_000_000_000 + 1000 * second).toISOString();
    const report = { id: `r${second}`, kind: 'parity', created_at: created, from: null, to: null, result: 'FAIL', summary: null };
    // As a command or another server on the same storage keeps it.
    await openReports({ directory: folder }).keep({ ...report, features } as never);
  };
  const read = async () =>
    (await metrics.text()).split('\n').flatMap((line) => line.match(/^featherflight_parity_result(\{.*)/)?.[1] ?? []);
  return { keep, read, checks };
}

it('a check of some features leaves the others as they were, and a pair is a check of its own', async () => {
  const { keep, read } = open();
  expect(await read()).toEqual([]);
  await keep(1, { a: 'PASS', b: 'FAIL' });
  await keep(2, { a: 'NO DATA' });
  expect(await read()).toEqual(['{view="v",feature="a",against=""} -1', '{view="v",feature="b",against=""} 0']);
  await keep(3, { b: 'PASS' }, 'w:b');
  const both = [
    '{view="v",feature="a",against=""} -1',
    '{view="v",feature="b",against=""} 0',
    '{view="v",feature="b",against="w:b"} 1',
  ];
  expect(await read()).toEqual(both);
  await keep(4, { b: 'PASS' });
  expect(await read()).toEqual([both[0], '{view="v",feature="b",against=""} 1', both[2]]);
});

it('a report that is kept after one that began later does not take its place', async () => {
  const { keep, read } = open();
  await keep(5, { a: 'FAIL' });
  expect(await read()).toEqual(['{view="v",feature="a",against=""} 0']);
  await keep(4, { a: 'PASS', b: 'FAIL' });
  expect(await read()).toEqual(['{view="v",feature="a",against=""} 0', '{view="v",feature="b",against=""} 0']);
});

it('datasets that are compared tell nothing of what is served', async () => {
  const folder = join(directory, String(folders++));
  const reports = openReports({ directory: folder });
  const checks = createLastChecks({ kind: 'drift', reports, isDefined: () => true });
  const keep = async (second: number, kind: string, result: ReportEnvelope['result']) => {
    const created_at = new Date(1_700_000_000_000 + 1000 * second).toISOString();
    const report = { id: `r${second}`, kind: 'drift', created_at, from: null, to: null, result, summary: null };
    await reports.keep({ ...report, current: { kind }, features: [{ view: 'v', feature: 'a', result }] } as never);
  };
  await keep(1, 'dataset', 'FAIL');
  expect(await checks.read()).toEqual([]);
  await keep(2, 'log', 'PASS');
  await keep(3, 'dataset', 'FAIL');
  expect(await checks.read()).toMatchObject([{ feature: 'a', result: 'PASS', report: 'r2' }]);
});

it('tells which report it is of, no example, and nothing of what is no more defined', async () => {
  const { keep, checks } = open((_, feature) => feature !== 'gone');
  await keep(1, { a: 'FAIL', gone: 'FAIL' });
  await keep(2, { b: 'PASS' });
  expect(await checks.read()).toMatchObject([
    { feature: 'a', report: 'r1', checked_at: '2023-11-14T22:13:21.000Z', worst: [] },
    { feature: 'b', report: 'r2', worst: [] },
  ]);
});
