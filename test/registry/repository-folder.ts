/** Temporary repositories for tests: files by path, removed when the test file is done. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';

const made: string[] = [];

/** Writes the files, a config unless there is one, and answers with the folder. */
export function makeRepository(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'featherflight-repository-'));
  made.push(root);
  mkdirSync(join(root, 'features'));
  writeRepository(root, {
    'featherflight.config.ts':
      "import { defineConfig } from 'featherflight';\nexport default defineConfig({ project: 'test' });\n",
    ...files,
  });
  return root;
}

/** Writes files into a repository. */
export function writeRepository(root: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

afterAll(() => {
  for (const root of made) rmSync(root, { recursive: true, force: true });
});
