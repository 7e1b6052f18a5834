/** Both templates load as a user's repository does, and StreamRec offers what the case study names. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { copyTemplate } from '../../src/demo/copy-template.ts';
import { loadRepository } from '../../src/registry/load.ts';
import { definitionsOfKind } from '../../src/registry/repository.ts';

const scratch = mkdtempSync(join(tmpdir(), 'featherflight-templates-'));

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe('templates', () => {
  it('streamrec has features of users, items, sessions and windows for the ranker, documented and owned, and what the feed needs', async () => {
    await copyTemplate('streamrec', join(scratch, 'streamrec'));
    const repository = await loadRepository(join(scratch, 'streamrec'));
    const views = definitionsOfKind(repository, 'featureView').map(({ definition }) => definition);
    expect(Object.fromEntries(views.map((view) => [view.name, Object.keys(view.features).length]))).toEqual({
      user_activity: 7,
      item_stats: 5,
      user_latest: 2,
      user_taste: 1,
    });
    const live = definitionsOfKind(repository, 'streamFeatureView').map(({ definition }) => definition);
    expect(Object.fromEntries(live.map((view) => [view.name, Object.keys(view.features)]))).toEqual({
      user_session: [
        'session_click_count',
        'session_duration_sec',
        'session_last_category',
        'session_last_items',
        'session_mean_watch_sec',
      ],
      user_windows: ['clicks_1h', 'watch_seconds_1d', 'completion_rate_7d', 'top_categories_30d', 'completions_ever'],
    });
    for (const view of [...views, ...live]) {
      expect(view.owner).toBeTruthy();
      for (const feature of Object.values(view.features)) expect(feature.description).toBeTruthy();
    }
    expect(definitionsOfKind(repository, 'featureService').map(({ definition }) => definition.name)).toEqual([
      'feed_v1',
      'ranker_v1',
    ]);
    expect(repository.config.project).toBe('streamrec');
  });

  it.each(['kafka', 'redisStream'])('streamrec says how to read from %s', async (kind) => {
    const root = join(scratch, kind);
    await copyTemplate('streamrec', root);
    const file = join(root, 'features/clicks.ts');
    const text = readFileSync(file, 'utf8');
    const [line = ''] = text.split('\n').filter((each) => each.includes(`stream: ${kind}(`));
    const changed = text
      .replace('import {', `import { env, ${kind},`)
      .replace(/^ {2}eventTimestamp/m, `${line.replace('//', '')}\n$&`);
    writeFileSync(file, changed);
    const sources = definitionsOfKind(await loadRepository(root), 'eventSource').map(({ definition }) => definition);
    expect(sources.map(({ name, stream }) => [name, stream?.kind])).toEqual([['clicks', kind]]);
  });

  it('minimal has one of each kind', async () => {
    await copyTemplate('minimal', join(scratch, 'minimal'));
    const repository = await loadRepository(join(scratch, 'minimal'));
    const kinds = repository.definitions.map(({ definition }) => definition.kind).sort();
    expect(kinds).toEqual(['batchSource', 'entity', 'featureService', 'featureView']);
  });
});
