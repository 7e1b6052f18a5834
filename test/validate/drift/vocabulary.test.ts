/** Declared values are known of features that are values of a declared column, and of no others. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { parseConfig } from '../../../src/config.ts';
import { count, entity, eventSource, first, last, parquet, streamFeatureView } from '../../../src/index.ts';
import { bindRepository } from '../../../src/registry/bind.ts';
import type { Definition } from '../../../src/registry/repository.ts';
import { declaredValues } from '../../../src/validate/drift/vocabulary.ts';
import { writeTables } from '../../integration/make-store.ts';
import { openTestHistory } from '../../support/answer-with-engine.ts';

it('knows the declared values of a feature, its default among them', async () => {
  const root = mkdtempSync(join(tmpdir(), 'vocabulary-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  mkdirSync(join(root, 'data'));
  const row = `select 1::bigint as user_id, timestamptz '2026-03-01 00:00:00+00' as at, 'click' as kind, 'free' as text`;
  await writeTables(root, [['data/events.parquet', row]]);
  const history = await openTestHistory(root);
  onTestFinished(history.close);
  const user = entity('user', { joinKeys: { user_id: 'int64' } });
  const events = eventSource('events', {
    history: parquet('data/events.parquet'),
    eventTimestamp: 'at',
    columns: { user_id: 'int64', kind: { type: 'string', values: ['click', 'view'] }, text: 'string' },
  });
  const activity = streamFeatureView('activity', {
    entities: [user],
    source: events,
    features: {
      newest: last('kind', { window: '7d' }),
      oldest: first('kind', { window: '7d', default: 'none' }),
      texts: last('text', { window: '7d' }),
      kinds: count({ window: '7d' }),
    },
  });
  const definitions = [user, events, activity].map((definition) => ({
    definition: definition as unknown as Definition,
    file: 'features/activity.ts',
  }));
  const bound = await bindRepository({ root, config: parseConfig({ project: 'words' }, root), definitions }, history);
  const registry = { ...bound, version: 1, appliedAt: '2026-03-10T12:00:00Z' };
  const known = (feature: string) => declaredValues(registry, 'activity', feature);
  expect(known('newest')).toEqual(new Set(['click', 'view']));
  expect(known('oldest')).toEqual(new Set(['click', 'view', 'none']));
  for (const other of ['texts', 'kinds', 'none']) expect(known(other)).toBeUndefined();
  expect(declaredValues(registry, 'none', 'newest')).toBeUndefined();
});
