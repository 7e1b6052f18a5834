/** Pushes numbered rows from FROM on in a process of its own, which may be killed: says each number once its push is acknowledged. */
import { writeSync } from 'node:fs';
import { createJiti } from 'jiti';

const [, , directory, from, sourceText] = process.argv;
const jiti = createJiti(import.meta.url, { fsCache: false, nativeModules: ['@duckdb/node-api', '@duckdb/node-bindings'] });
const { openArchive } = await jiti.import('../../src/offline/archive/archive.ts');
const { silentLogger } = await jiti.import('../../src/observe.ts');
const source = JSON.parse(sourceText);
const archive = openArchive({ directory, logger: silentLogger, mergeAt: 3 });
for (let id = Number(from); ; id++) {
  const rows = { id: [id, id], at: ['2026-03-10T12:00:00Z', '2026-03-10T12:00:00Z'] };
  await archive.stage(source, rows, 0n, (file) => archive.keep(source, String(id), file));
  writeSync(1, `${id}\n`);
}
