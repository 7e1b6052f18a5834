/** Makes a Python environment with given packages in it, and does nothing when it is there already. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { lstat, readFile, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FeatureStoreError } from '../index.ts';

export interface PreparePythonOptions {
  /** Folder of the virtual environment; made where it is missing or broken. */
  readonly venv: string;
  /** Name under which the environment remembers what it holds; several sets may share one environment. */
  readonly set: string;
  /** Arguments of `pip install`: `pandas>=2.2`, `./python_client`, …; paths are relative to `cwd`. */
  readonly packages: readonly string[];
  /** Files whose content, when changed, asks for a new installation, relative to `cwd`. */
  readonly watched?: readonly string[];
  /** Folder that relative paths start from; default: the working directory. */
  readonly cwd?: string;
  /** Told what takes a while, one line each. */
  readonly say?: (line: string) => void;
}

const oldest = [3, 10] as const;
const candidates = ['python3', 'python3.14', 'python3.13', 'python3.12', 'python3.11', 'python3.10', 'python'];

/**
 * Path of the environment's interpreter once `packages` are installed in it. `FEATHERFLIGHT_PYTHON` names the interpreter to start from.
 * FAILED_PRECONDITION where there is no Python >= 3.10 or it has no venv module, UNAVAILABLE where pip fails.
 */
export async function preparePython(options: PreparePythonOptions): Promise<string> {
  const { venv, set, packages, cwd = process.cwd(), say = () => {} } = options;
  const python = process.platform === 'win32' ? join(venv, 'Scripts', 'python.exe') : join(venv, 'bin', 'python');
  await clearTheWay(venv, say);
  if ((await run(python, ['-c', 'import pip'], cwd)).status !== 0) {
    say(`making a Python environment in ${venv}`);
    await makeEnvironment(venv, cwd, say);
  }
  const stamp = join(venv, `.featherflight-${set}`);
  const wanted = await fingerprint(packages, options.watched ?? [], cwd);
  if (existsSync(stamp) && (await readFile(stamp, 'utf8')) === wanted) return python;
  say('installing Python packages');
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--root-user-action=ignore', ...packages];
  const installed = await run(python, pip, cwd);
  if (installed.status !== 0) {
    throw new FeatureStoreError('UNAVAILABLE', `pip could not install ${packages.join(' ')}: ${lastLines(installed.output)}`);
  }
  await writeFile(stamp, wanted);
  return python;
}

/** Python's venv module makes nothing where a link leads nowhere, which is nobody's loss, or where a file lies, which is somebody's. */
async function clearTheWay(venv: string, say: (line: string) => void): Promise<void> {
  const entry = await lstat(venv).catch(() => undefined);
  if (entry === undefined) return;
  const target = await stat(venv).catch(() => undefined);
  if (target === undefined) {
    await unlink(venv);
    say(`removed the link ${venv}, which led nowhere`);
  } else if (!target.isDirectory()) {
    const message = `${venv} is a file, and the Python environment is to be a folder there; move the file away`;
    throw new FeatureStoreError('FAILED_PRECONDITION', message);
  }
}

async function makeEnvironment(venv: string, cwd: string, say: (line: string) => void): Promise<void> {
  const python = await findPython(cwd);
  const create = () => run(python, ['-m', 'venv', '--clear', venv], cwd);
  let made = await create();
  if (made.status !== 0 && process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    say('installing python3-venv, without which this Python makes no environments');
    await run('apt-get', ['update'], cwd);
    await run('apt-get', ['install', '--yes', '--no-install-recommends', 'python3-venv'], cwd);
    made = await create();
  }
  if (made.status !== 0) {
    const advice = 'install its venv module (on Debian and Ubuntu: apt-get install python3-venv)';
    throw new FeatureStoreError(
      'FAILED_PRECONDITION',
      `${python} makes no virtual environment; ${advice}: ${lastLines(made.output)}`,
    );
  }
}

async function findPython(cwd: string): Promise<string> {
  const named = process.env.FEATHERFLIGHT_PYTHON;
  const check = `import sys; sys.exit(sys.version_info < (${oldest.join(', ')}))`;
  for (const name of named === undefined ? candidates : [named]) {
    if ((await run(name, ['-c', check], cwd)).status === 0) return name;
  }
  const looked = named === undefined ? candidates.join(', ') : `FEATHERFLIGHT_PYTHON=${named}`;
  const message = `no Python ${oldest.join('.')} or later among ${looked}; install one or name it in FEATHERFLIGHT_PYTHON`;
  throw new FeatureStoreError('FAILED_PRECONDITION', message);
}

async function fingerprint(packages: readonly string[], watched: readonly string[], cwd: string): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(packages));
  for (const file of watched) hash.update(await readFile(join(cwd, file)));
  return hash.digest('hex');
}

/** Exit status and all output of a program; a program that cannot be started has status -1. */
function run(program: string, args: readonly string[], cwd: string): Promise<{ status: number; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const collect = (chunk: Buffer): void => {
      output += chunk.toString();
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.on('error', (error) => resolve({ status: -1, output: error.message }));
    child.on('close', (status) => resolve({ status: status ?? -1, output }));
  });
}

function lastLines(output: string): string {
  return output.trim().split('\n').slice(-12).join('\n');
}
