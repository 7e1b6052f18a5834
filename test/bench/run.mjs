/** `npm run bench [NAME…]`: runs every `*.bench.mjs` and `*.bench.ts` of this folder in turn, each in its own process. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('.', import.meta.url));
const root = join(folder, '../..');
const asked = process.argv.slice(2);
const jiti = import.meta.resolve('jiti/register');

const benches = readdirSync(folder)
  .filter((file) => /\.bench\.(mjs|ts)$/.test(file))
  .filter((file) => asked.length === 0 || asked.some((name) => file.startsWith(name)))
  .sort();
if (benches.length === 0) throw new Error(`no benchmark here named ${asked.join(', ') || '*.bench.mjs or *.bench.ts'}`);

const build = spawnSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: 'inherit' });
if (build.status !== 0) process.exit(build.status ?? 1);

console.log(
  `${cpus().length} cores (${cpus()[0]?.model}), Node ${process.versions.node}, ${new Date().toISOString().slice(0, 10)}`,
);
let failed = 0;
for (const file of benches) {
  console.log(`\n== ${file}`);
  const { status } = spawnSync(process.execPath, ['--expose-gc', '--import', jiti, join(folder, file)], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) failed++;
}
if (failed > 0) {
  console.error(`\n${failed} of ${benches.length} benchmarks failed`);
  process.exitCode = 1;
}
