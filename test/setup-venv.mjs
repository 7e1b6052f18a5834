/** Makes `.venv` with everything the tests need of Python: `node test/setup-venv.mjs`, after a build. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { prepareDemoPython } from '../dist/demo/prepare-demo-python.js';
import { preparePython } from '../dist/demo/prepare-python.js';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Path of the interpreter; `say` is told what takes a while. */
export async function setupVenv(say = console.log) {
  const client = existsSync(`${root}/python_client/pyproject.toml`);
  const python = await preparePython({
    venv: `${root}/.venv`.replace('//', '/'),
    set: 'tests',
    packages: ['--requirement', 'test/requirements.txt', ...(client ? ['--editable', './python_client'] : [])],
    watched: ['test/requirements.txt', ...(client ? ['python_client/pyproject.toml'] : [])],
    cwd: root,
    say,
  });
  // The demo's own packages too: a test runs it, and must not install the client anew while other tests import it.
  if (client) await prepareDemoPython(say);
  return python;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await setupVenv());
