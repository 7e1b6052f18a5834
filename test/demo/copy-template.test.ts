/** A template arrives whole, with its .gitignore, and never over somebody's files. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { copyTemplate, templateNames } from '../../src/demo/copy-template.ts';

const scratch = mkdtempSync(join(tmpdir(), 'featherflight-template-'));

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe('copyTemplate', () => {
  it.each(templateNames)('lays down %s', async (name) => {
    const directory = join(scratch, 'new', name);
    const files = await copyTemplate(name, directory);
    expect(files).toEqual(expect.arrayContaining(['.gitignore', 'README.md', 'featherflight.config.ts']));
    const found = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(found.map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1)).sort()).toEqual(files);
  });

  it('writes into a folder that holds other things, but over nothing', async () => {
    const directory = mkdtempSync(join(scratch, 'full-'));
    writeFileSync(join(directory, 'notes.txt'), 'mine');
    await copyTemplate('minimal', directory);
    writeFileSync(join(directory, 'README.md'), 'mine too');
    await expect(copyTemplate('minimal', directory)).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    expect(readFileSync(join(directory, 'README.md'), 'utf8')).toBe('mine too');
  });
});
