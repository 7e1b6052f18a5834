/** docs/reference/definitions.md and config.md: what they show loads and binds, and the defaults they name are the defaults. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { environmentOverrides, parseConfig } from '../../src/config.ts';
import { bindRepository } from '../../src/registry/bind.ts';
import { loadRepository } from '../../src/registry/load.ts';
import { readCodeBlocks } from '../support/code-blocks.ts';
import { describeFrom, toolsFor } from './bind-definitions.ts';
import { makeRepository } from './repository-folder.ts';

/** The blocks of a page that begin with the path of their file. */
const filesOf = (page: string): Record<string, string> =>
  Object.fromEntries(
    readCodeBlocks(page).flatMap(({ text }) =>
      /^\/\/ (\S+\.ts)\n/.test(text) ? [[text.slice(3, text.indexOf('\n')), text]] : [],
    ),
  );

describe('docs/reference/definitions.md', () => {
  it('shows a repository that loads and binds', async () => {
    const root = makeRepository(filesOf('docs/reference/definitions.md'));
    const instant = 'TIMESTAMP WITH TIME ZONE';
    const document = await bindRepository(
      await loadRepository(root),
      toolsFor(
        describeFrom({
          'data/profiles/*.parquet': {
            uid: 'BIGINT',
            event_timestamp: instant,
            created_timestamp: instant,
            landed_at: instant,
            age: 'SMALLINT',
            score_v2: 'DOUBLE',
            balance: 'DECIMAL(12,2)',
            embedding: 'FLOAT[3]',
          },
          'data/clicks/*.parquet': {
            id: 'VARCHAR',
            clicked_at: instant,
            user_id: 'BIGINT',
            item_id: 'BIGINT',
            category: 'VARCHAR',
            seconds: 'DOUBLE',
            event_type: 'VARCHAR',
          },
          'data/delays.csv': {
            carrier: 'VARCHAR',
            number: 'INTEGER',
            departed_at: 'TIMESTAMP',
            minutes: 'BIGINT',
            gate: 'VARCHAR',
          },
        }),
      ),
    );
    const lists = [document.entities, document.sources, document.views, document.onDemandViews, document.services];
    expect(lists.map((items) => items?.length)).toEqual([2, 6, 5, 1, 1]);
    expect(document.services[0]?.features.map(({ prefix, features }) => [prefix, features])).toEqual([
      [undefined, ['age', 'score', 'balance', 'embedding']],
      ['friend', ['age', 'score']],
      [undefined, ['minutes']],
    ]);
  });
});

describe('docs/reference/config.md', () => {
  it('shows the defaults', async () => {
    const root = makeRepository(filesOf('docs/reference/config.md'));
    const { config } = await loadRepository(root);
    expect(config).toEqual(parseConfig({ project: 'streamrec' }, root));
  });

  it('names every environment variable', () => {
    const page = readFileSync(new URL('../../docs/reference/config.md', import.meta.url), 'utf8');
    for (const name of Object.keys(environmentOverrides)) expect(page).toContain(`\`${name}\``);
  });
});
