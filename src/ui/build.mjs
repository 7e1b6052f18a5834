/** Builds the page into dist/ui with Vite, and only where its sources or the packages it is made of have changed. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const sources = fileURLToPath(new URL('.', import.meta.url));
const root = join(sources, '../..');
const target = join(root, 'dist/ui');
const mark = join(target, '.sources');

const wanted = hashSources();
if (!isBuilt()) await buildPage();

/** Beside, then renamed: a server that runs meanwhile never finds half of a page. */
async function buildPage() {
  const { build } = await import('vite');
  const draft = `${target}-${process.pid}`;
  await build({
    ...{ root: sources, configFile: false, base: './', logLevel: 'warn' },
    build: {
      ...{ outDir: draft, emptyOutDir: true, assetsInlineLimit: 0, modulePreload: { polyfill: false } },
      target: ['chrome123', 'firefox120', 'safari17.5'],
      chunkSizeWarningLimit: 1000,
      rolldownOptions: { output: { codeSplitting: { groups: [{ name: 'packages', test: /node_modules/ }] } } },
    },
  });
  writeFileSync(join(draft, '.sources'), wanted);
  try {
    rmSync(target, { recursive: true, force: true });
    renameSync(draft, target);
  } catch (error) {
    // Another build of the same sources came first.
    if (!isBuilt()) throw error;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

function isBuilt() {
  return existsSync(mark) && readFileSync(mark, 'utf8') === wanted;
}

function hashSources() {
  const hash = createHash('sha256');
  const names = readdirSync(sources, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  for (const name of [...names.sort(), join(root, 'package-lock.json')]) hash.update(name).update(readFileSync(name));
  return hash.digest('hex');
}
