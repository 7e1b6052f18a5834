/** What the README shows works: its definitions load, its scripts exist, and every link of the documentation leads somewhere. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { loadRepository } from '../../src/registry/load.ts';
import { readCodeBlocks } from '../support/code-blocks.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'featherflight-readme-'));

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe('README.md', () => {
  it('shows definitions that load', async () => {
    const [definitions] = readCodeBlocks('README.md').filter((block) => block.language === 'ts');
    mkdirSync(join(scratch, 'features'));
    writeFileSync(join(scratch, 'features', 'all.ts'), definitions?.text ?? '');
    writeFileSync(
      join(scratch, 'featherflight.config.ts'),
      `import { defineConfig } from 'featherflight';\nexport default defineConfig({ project: 'readme' });\n`,
    );
    const repository = await loadRepository(scratch);
    expect(repository.definitions.map(({ definition }) => definition.name).sort()).toEqual([
      'ranker_v1',
      'user',
      'user_activity',
      'user_daily',
    ]);
  });

  it('names scripts that exist', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
    for (const page of ['README.md', 'CONTRIBUTING.md', 'docs/quickstart.md']) {
      const text = readFileSync(join(root, page), 'utf8');
      for (const [, name = ''] of text.matchAll(/npm run ([a-z]+)/g)) expect(scripts, page).toHaveProperty(name);
    }
  });
});

describe('links', () => {
  const pages = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'python_client/README.md'].concat(
    readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.md'))
      .map((path) => `docs/${path}`),
  );

  it.each(pages)('of %s lead to files of the repository', (page) => {
    const text = readFileSync(join(root, page), 'utf8').replace(/^```.*?^```$/gms, '');
    const targets = [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)[^)]*\)/g)].map(([, target = '']) =>
      join(dirname(page), target),
    );
    expect(targets.filter((target) => !existsSync(join(root, target)))).toEqual([]);
    for (const target of targets) expect(relative(root, join(root, target))).not.toMatch(/^\.\./);
  });
});
