/** The Python environment in which the demo's script runs: the client of this very clone, and pandas. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FeatureStoreError } from '../index.ts';
import { preparePython } from './prepare-python.ts';

/** The package's root, for sources and for built files alike. */
const root = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Path of the interpreter in the clone's `.venv`. FAILED_PRECONDITION outside a clone, where there is no client to install, and
 * what `preparePython` says.
 */
export async function prepareDemoPython(say: (line: string) => void): Promise<string> {
  if (!existsSync(join(root, 'python_client', 'pyproject.toml'))) {
    throw new FeatureStoreError('FAILED_PRECONDITION', `no python_client in ${root}; run the demo in a clone of the repository`);
  }
  return await preparePython({
    venv: join(root, '.venv'),
    set: 'demo',
    packages: ['--editable', './python_client', 'pandas>=2.0'],
    watched: ['python_client/pyproject.toml'],
    cwd: root,
    say,
  });
}
