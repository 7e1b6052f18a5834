/** Starting: what `import featherflight` costs beyond pyarrow, how fast `featherflight version` answers, and what an install holds. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { numbersFrom, prepareBenchPython, root } from './support/prepare.mjs';

const [rounds] = numbersFrom('BENCH_ROUNDS', [15]);
const python = await prepareBenchPython();
const cli = join(root, 'dist/cli/main.js');

const commands = {
  'python, nothing imported': [python, ['-c', 'pass']],
  'import pyarrow': [python, ['-c', 'import pyarrow']],
  'import pyarrow, pyarrow.flight': [python, ['-c', 'import pyarrow, pyarrow.flight']],
  'import featherflight': [python, ['-c', 'import featherflight']],
  'node, nothing imported': [process.execPath, ['-e', '']],
  'featherflight version': [process.execPath, [cli, 'version']],
};
const times = Object.fromEntries(Object.keys(commands).map((name) => [name, []]));
// The first round fills the caches of the file system and is not counted.
for (let round = -1; round < rounds; round++) {
  for (const [name, [program, args]] of Object.entries(commands)) {
    const started = performance.now();
    const { status, stderr } = spawnSync(program, args, { cwd: root, encoding: 'utf8' });
    if (status !== 0) throw new Error(`${name} ended with status ${status}: ${stderr}`);
    if (round >= 0) times[name].push((performance.now() - started) / 1000);
  }
}

const sorted = Object.fromEntries(Object.entries(times).map(([name, values]) => [name, values.sort((a, b) => a - b)]));
const median = (name) => sorted[name][sorted[name].length >> 1];
const best = (name) => sorted[name][0];
for (const name of Object.keys(commands)) {
  console.log(`  ${name.padEnd(32)} ${median(name).toFixed(3)} s, best ${best(name).toFixed(3)} s (n=${rounds})`);
}
show('import beyond pyarrow', (at) => at('import featherflight') - at('import pyarrow'));
show('import beyond pyarrow and its Flight', (at) => at('import featherflight') - at('import pyarrow, pyarrow.flight'));
show('featherflight version', (at) => at('featherflight version'));

const listed = spawnSync('npm', ['ls', '--omit=dev', '--all', '--parseable'], { cwd: root, encoding: 'utf8' });
const packages = new Set(listed.stdout.trim().split('\n').slice(1)).size;
console.log(`  ${packages} packages in a production install; ${packages < 170 ? 'met' : 'MISSED'}: the bar is below 170`);

function show(what, measure) {
  const value = measure(median);
  const least = `best ${measure(best).toFixed(3)} s`;
  console.log(`  ${what}: ${value.toFixed(3)} s, ${least}; ${value <= 0.3 ? 'met' : 'MISSED'}: the bar is at most 0.3 s`);
}
