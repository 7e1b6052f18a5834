/** Features that fail are told by the last check of each, whichever others were checked since. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { createFailingFeatures } from '../../../src/validate/alerts/failing-features.ts';
import { openReports, type ReportEnvelope } from '../../../src/validate/reports.ts';

const directory = mkdtempSync(join(tmpdir(), 'failing-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
let folders = 0;
let kept = 0;

type Results = Readonly<Record<string, ReportEnvelope['result']>>;

function open(isDefined: (view: string, feature: string) => boolean = () => true) {
  const reports = openReports({ directory: join(directory, String(folders++)) });
  const make = () => createFailingFeatures({ kind: 'parity', reports, isDefined });
  const failing = make();
  const keep = async (results: Results, against?: string, began = kept) => {
    const features = Object.entries(results).map(([feature, result]) => ({ view: 'v', feature, against, result }));
    const created = new Date(1_700_000_000_000 + 1000 * began).toISOString();
    const report = { id: `r${kept++}`, kind: 'parity', created_at: created, from: null, to: null, result: 'FAIL', summary: null };
    await reports.keep({ ...report, features } as never);
  };
  const read = async (from = failing) => (await from.read())?.map(({ labels }) => Object.values(labels).join(' '));
  return { keep, read, make };
}

it('knows nothing before a check has found out something', async () => {
  const { keep, read } = open();
  expect(await read()).toBeUndefined();
  await keep({ a: 'NO DATA' });
  expect(await read()).toBeUndefined();
  await keep({ a: 'PASS' });
  expect(await read()).toEqual([]);
});

it('a check of some features, or without data, leaves the others as they were', async () => {
  const { keep, read, make } = open();
  await keep({ a: 'FAIL', b: 'FAIL', c: 'PASS' });
  expect(await read()).toEqual(['v a', 'v b']);
  await keep({ b: 'PASS' });
  await keep({ a: 'NO DATA', c: 'FAIL' });
  expect(await read()).toEqual(['v a', 'v c']);
  // So does a server that has just started.
  expect((await read(make()))?.toSorted()).toEqual(['v a', 'v c']);
  await keep({ a: 'PASS' });
  await keep({ c: 'PASS' });
  expect(await read()).toEqual([]);
});

it('a comparison of two features is a check of its own', async () => {
  const { keep, read } = open();
  await keep({ a: 'FAIL' }, 'w:a');
  await keep({ a: 'PASS' });
  expect(await read()).toEqual(['v a w:a']);
  await keep({ a: 'PASS' }, 'w:a');
  expect(await read()).toEqual([]);
});

it('what is no more defined fails no more', async () => {
  let defined = ['a', 'b'];
  const { keep, read } = open((_, feature) => defined.includes(feature));
  await keep({ a: 'FAIL', b: 'FAIL' });
  expect(await read()).toEqual(['v a', 'v b']);
  defined = ['b'];
  expect(await read()).toEqual(['v b']);
});

it('a check that begins first and ends last is seen, and takes the place of no later one', async () => {
  const { keep, read } = open();
  const began = kept++;
  await keep({ a: 'PASS', b: 'PASS' });
  expect(await read()).toEqual([]);
  await keep({ a: 'FAIL', c: 'FAIL' }, undefined, began);
  expect(await read()).toEqual(['v c']);
});
