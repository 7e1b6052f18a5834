/** The Python environment is made once, and what is wrong with a machine is said in words. */
import { lstatSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { preparePython } from '../../src/demo/prepare-python.ts';

const scratch = mkdtempSync(join(tmpdir(), 'featherflight-python-'));

afterEach(() => vi.unstubAllEnvs());
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe('preparePython', () => {
  it('makes an environment, says so, and leaves it alone the next time', async () => {
    const said: string[] = [];
    const options = { venv: join(scratch, 'venv'), set: 'test', packages: ['pip'], say: (line: string) => said.push(line) };
    const python = await preparePython(options);
    expect(statSync(python).isFile()).toBe(true);
    expect(said).toHaveLength(2);
    expect(await preparePython(options)).toBe(python);
    expect(said).toHaveLength(2);
  }, 120_000);

  it('installs again when a package is added, and passes on what pip says', async () => {
    const options = { venv: join(scratch, 'venv'), set: 'test', packages: ['./no-such-folder'], cwd: scratch };
    await expect(preparePython(options)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringMatching(/no-such-folder/),
    });
  }, 120_000);

  it('makes the environment in the place of a link that leads nowhere', async () => {
    const said: string[] = [];
    const venv = join(scratch, 'broken');
    symlinkSync('moved-away', venv);
    const python = await preparePython({ venv, set: 'test', packages: ['pip'], say: (line) => said.push(line) });
    expect(statSync(python).isFile()).toBe(true);
    expect(lstatSync(venv).isDirectory()).toBe(true);
    expect(said[0]).toContain('led nowhere');
  }, 120_000);

  it('leaves a file that is in the way to its owner', async () => {
    const venv = join(scratch, 'notes');
    writeFileSync(venv, 'mine');
    await expect(preparePython({ venv, set: 'test', packages: ['pip'] })).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringContaining(`${venv} is a file`),
    });
    expect(readFileSync(venv, 'utf8')).toBe('mine');
  });

  it('names the interpreter it could not use', async () => {
    vi.stubEnv('FEATHERFLIGHT_PYTHON', '/nowhere/python3');
    const options = { venv: join(scratch, 'none'), set: 'test', packages: [] };
    await expect(preparePython(options)).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringMatching(/nowhere/),
    });
  });
});
