/** Copies of sources without their future: of the columns that a view reads, unless others decide between its rows. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { parseConfig } from '../../../../src/config.ts';
import { batchSource, entity, featureView, parquet } from '../../../../src/index.ts';
import { bindRepository } from '../../../../src/registry/bind.ts';
import type { Definition } from '../../../../src/registry/repository.ts';
import { planSample } from '../../../../src/validate/leaks/answer-sample.ts';
import { auditLeaks } from '../../../../src/validate/leaks/audit-leaks.ts';
import { removeFuture } from '../../../../src/validate/leaks/own/remove-future.ts';
import { leakRequestSchema } from '../../../../src/validate/leaks/request.ts';
import { readSample } from '../../../../src/validate/leaks/sample.ts';
import { writeTables } from '../../../integration/make-store.ts';
import { openTestHistory } from '../../../support/answer-with-engine.ts';
import { day, frameOf, keyColumns, start } from '../open-clips.ts';

const closing: (() => unknown)[] = [];
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

/** Users 0 to 9 on days 0 to 9, each day twice where rows are `tied`: then the note decides which counts, against the score. */
async function open(isTied: boolean) {
  const root = mkdtempSync(join(tmpdir(), 'copies-'));
  closing.push(() => rmSync(root, { recursive: true, force: true }));
  mkdirSync(join(root, 'data'));
  const rows = `select u::bigint as user_id, make_timestamptz(${start} + d * ${day}) as event_timestamp,
    'note ' || n as note, (100 * u + 10 * d - n)::double as score, 'much text ' || u as remark
    from range(0, 10) as a(u), range(0, 10) as b(d), range(0, ${isTied ? 2 : 1}) as c(n)`;
  await writeTables(root, [['data/scores.parquet', rows]]);
  const history = await openTestHistory(root);
  closing.push(history.close);
  const user = entity('user', { joinKeys: { user_id: 'int64' } });
  const source = batchSource('daily', { table: parquet('data/scores.parquet'), eventTimestamp: 'event_timestamp' });
  const scores = featureView('scores', { entities: [user], source, features: { score: { type: 'float64' } } });
  const definitions = [user, source, scores].map((definition) => ({
    definition: definition as unknown as Definition,
    file: 'features/scores.ts',
  }));
  const bound = await bindRepository({ root, config: parseConfig({ project: 'copies' }, root), definitions }, history);
  const registry = { ...bound, version: 1, appliedAt: '2026-03-10T12:00:00Z' };
  return { root, history, registry, directory: join(root, 'audits'), signal: new AbortController().signal };
}

const frame = frameOf(keyColumns(Array.from({ length: 50 }, (_, at) => ({ user: at % 10, us: start + (at % 7) * day + 1 }))));
const features = ['scores:score'];

it.each([
  ['of the columns that a view reads', false, ['event_timestamp', 'user_id', 'score']],
  [
    'of all columns where those decide between rows of equal times',
    true,
    ['user_id', 'event_timestamp', 'note', 'score', 'remark'],
  ],
] as const)('are %s, and go when they are closed', async (_, isTied, columns) => {
  const { history, registry, directory, signal } = await open(isTied);
  const time = { index: 1, name: 'event_timestamp', timezone: undefined };
  const sample = await readSample(frame.schema, frame.batches(signal), time, 50);
  const { lookups } = planSample({ registry, features, keys: {}, asKnown: null }, sample).plan;
  const past = await removeFuture(history, registry, lookups, BigInt(start + 3 * day), directory, signal);
  expect(past.registry.sources.map((source) => source.columns.map(({ name }) => name))).toEqual([columns]);
  expect(readdirSync(directory)).toEqual([expect.stringMatching(new RegExp(`^${process.pid}-`))]);
  await past.close();
  expect(readdirSync(directory)).toEqual([]);
});

it.each([false, true])('say of honest features that they are clean, rows tied: %s', async (isTied) => {
  const parts = await open(isTied);
  const findings = await auditLeaks(parts, leakRequestSchema.parse({ features }), frame);
  expect(findings).toMatchObject({ result: 'PASS', leaking: [], rows: 50 });
  expect(findings.features[0]).toMatchObject({ verdict: 'clean', agree: 50 });
});
