/** What every benchmark starts from: the Python environment with the peers in it, a scratch folder, and a way to run Python there. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { preparePython } from '../../../dist/demo/prepare-python.js';
import { setupVenv } from '../../setup-venv.mjs';

export const benchFolder = fileURLToPath(new URL('..', import.meta.url));
export const root = join(benchFolder, '../..');

/** Path of a Python that has the client, pandas, Polars and DuckDB. */
export async function prepareBenchPython() {
  await setupVenv();
  return await preparePython({
    venv: join(root, '.venv'),
    set: 'bench',
    packages: ['--requirement', 'test/bench/requirements.txt'],
    watched: ['test/bench/requirements.txt'],
    cwd: root,
    say: console.log,
  });
}

/** Runs `work` with a folder of its own, which is removed whatever happens. */
export async function withScratch(work) {
  const scratch = mkdtempSync(join(tmpdir(), 'featherflight-bench-'));
  try {
    return await work(scratch);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Runs a script of this folder in the foreground; its output is the benchmark's. Sets the exit status where it fails. */
export function runPython(python, script, args, environment = {}) {
  const { status } = spawnSync(python, [join(benchFolder, script), ...args.map(String)], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, PYTHONPATH: join(benchFolder, 'support'), PYTHONDONTWRITEBYTECODE: '1', ...environment },
  });
  if (status !== 0) process.exitCode = 1;
}

/** The number after `--name` on the command line of the benchmark, or a list of them. */
export function numbersFrom(variable, byDefault) {
  const text = process.env[variable];
  return text === undefined || text === '' ? byDefault : text.split(',').map(Number);
}
