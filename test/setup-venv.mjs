/** Makes `.venv` with everything the tests need of Python: `node test/setup-venv.mjs`, after a build. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { preparePython } from '../dist/demo/prepare-python.js';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Path of the interpreter; `say` is told what takes a while. */
export function setupVenv(say = console.log) {
  const client = existsSync(`${root}/python_client/pyproject.toml`);
  return preparePython({
    venv: `${root}/.venv`.replace('//', '/'),
    set: 'tests',
    packages: ['--requirement', 'test/requirements.txt', ...(client ? ['--editable', './python_client'] : [])],
    watched: ['test/requirements.txt', ...(client ? ['python_client/pyproject.toml'] : [])],
    cwd: root,
    say,
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await setupVenv());
