/** Events of one key and one time: sorted once, by key and time alone, and what is first or last among them is decided by value (6.10). */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { field } from '../../../src/arrow/schema.ts';
import { parseConfig } from '../../../src/config.ts';
import { parseInstantUs } from '../../../src/definitions/literal.ts';
import { entity, eventSource, first, last, lastN, parquet, streamFeatureView } from '../../../src/index.ts';
import { bindRepository } from '../../../src/registry/bind.ts';
import type { Definition } from '../../../src/registry/repository.ts';
import { answerWithEngine, openTestHistory } from '../../support/answer-with-engine.ts';
import { writeSource } from '../../support/write-source.ts';

test('rule 6.10: the least is first and the greatest last, and no order by value is needed for it', async () => {
  const root = mkdtempSync(join(tmpdir(), 'tied-'));
  const history = await openTestHistory(root);
  onTestFinished(async () => {
    await history.close();
    rmSync(root, { recursive: true, force: true });
  });
  const at = parseInstantUs('2026-03-10T11:00:00Z');
  const table = await writeSource(root, {
    name: 'clicks',
    columns: [
      { name: 'user_id', duckType: 'BIGINT', type: { kind: 'int64' } },
      { name: 'at', duckType: 'TIMESTAMP WITH TIME ZONE', type: { kind: 'time', unit: 'us', zoned: true } },
      { name: 'x', duckType: 'DOUBLE', type: { kind: 'float64' } },
    ],
    event: 'at',
    rows: [3, 1, 2].map((x) => ({ user_id: 1n, at, x })),
    format: 'parquet',
    files: 1,
  });
  const user = entity('user', { joinKeys: { user_id: 'int64' } });
  const clicks = eventSource('clicks', {
    history: parquet(table.paths),
    eventTimestamp: 'at',
    columns: { user_id: 'int64', x: 'float64' },
  });
  const features = {
    least: first('x', { window: '7d' }),
    greatest: last('x', { window: '7d' }),
    newest: lastN('x', { n: 2, window: '7d' }),
  };
  const activity = streamFeatureView('activity', { entities: [user], source: clicks, features });
  const definitions = [user, clicks, activity].map((definition) => ({
    definition: definition as unknown as Definition,
    file: 'features/a.ts',
  }));
  const bound = await bindRepository({ root, config: parseConfig({ project: 'test' }, root), definitions }, history);
  const answer = await answerWithEngine(
    history,
    { ...bound, version: 1, appliedAt: '2026-03-10T12:00:00Z' },
    {
      views: [],
      frame: {
        rows: 1,
        batchRows: 1,
        columns: [
          { field: field('user_id', { id: 'int', bits: 64, signed: true }), values: [1n] },
          { field: field('event_timestamp', { id: 'timestamp', unit: 'us', timezone: 'UTC' }), values: [at + 1n] },
        ],
      },
      features: Object.keys(features).map((feature) => ({ view: 'activity', feature })),
    },
  );
  expect(answer.columns.map(({ values }) => values[0])).toEqual([1, 3, [3, 2]]);
  const projections = join(root, '.projections');
  const [built] = readdirSync(projections).filter((name) => name.startsWith('activity-'));
  const manifest = JSON.parse(readFileSync(join(projections, built as string, 'manifest.json'), 'utf8')) as { byValue: boolean };
  expect(manifest.byValue).toBe(false);
});
