/** Both templates load as a user's repository does, and StreamRec offers what the case study names. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { copyTemplate } from '../../src/demo/copy-template.ts';
import { loadRepository } from '../../src/registry/load.ts';
import { definitionsOfKind } from '../../src/registry/repository.ts';

const scratch = mkdtempSync(join(tmpdir(), 'featherflight-templates-'));

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe('templates', () => {
  it('streamrec has seven user and five item features for the ranker, documented and owned, and what the feed needs', async () => {
    await copyTemplate('streamrec', join(scratch, 'streamrec'));
    const repository = await loadRepository(join(scratch, 'streamrec'));
    const views = definitionsOfKind(repository, 'featureView').map(({ definition }) => definition);
    expect(Object.fromEntries(views.map((view) => [view.name, Object.keys(view.features).length]))).toEqual({
      user_activity: 7,
      item_stats: 5,
      user_latest: 2,
    });
    for (const view of views) {
      expect(view.owner).toBeTruthy();
      for (const feature of Object.values(view.features)) expect(feature.description).toBeTruthy();
    }
    expect(definitionsOfKind(repository, 'featureService').map(({ definition }) => definition.name)).toEqual([
      'feed_v1',
      'ranker_v1',
    ]);
    expect(repository.config.project).toBe('streamrec');
  });

  it('minimal has one of each kind', async () => {
    await copyTemplate('minimal', join(scratch, 'minimal'));
    const repository = await loadRepository(join(scratch, 'minimal'));
    const kinds = repository.definitions.map(({ definition }) => definition.kind).sort();
    expect(kinds).toEqual(['batchSource', 'entity', 'featureService', 'featureView']);
  });
});
