/** What must not stay behind or stand still: servers that cannot start, definitions that never end, paths that are no files. */
import { execFileSync } from 'node:child_process';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { startPython } from '../support/start-python.ts';
import { freePorts, startServer as startProcess } from '../support/start-server.ts';
import { makeStore } from './make-store.ts';

const prelude = fileURLToPath(new URL('./client.py', import.meta.url));
/** Threads start from the built files. */
const built = (path: string) => import(new URL(`../../dist/${path}`, import.meta.url).href);

let directory: string;
beforeAll(async () => {
  directory = await makeStore();
});

describe('a server that cannot start', () => {
  let startServer: typeof import('../../src/serve/server.ts').startServer;
  beforeAll(async () => {
    ({ startServer } = await built('serve/server.js'));
  });
  const start = (environment: Record<string, string>) => startServer({ root: directory, environment, logLevel: 'fatal' });
  const spills = () => readdirSync(join(directory, '.featherflight/spill'));

  async function expectNothingHeld(): Promise<void> {
    expect(spills()).toEqual([]);
    const next = await start(freePorts);
    await next.stop();
    expect(spills()).toEqual([]);
    expect(readdirSync(join(directory, '.featherflight')).filter((name) => name.endsWith('.sock'))).toEqual([]);
  }

  it('for its port is taken gives up the state and the engine', async () => {
    const taken = createServer();
    const port = await new Promise<number>((resolve) => {
      taken.listen(0, '127.0.0.1', () => resolve((taken.address() as { port: number }).port));
    });
    await expect(start({ FEATHERFLIGHT_FLIGHT_PORT: String(port) })).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringContaining(`127.0.0.1:${port}`),
    });
    taken.close();
    await expectNothingHeld();
  });

  it('for its storage is no folder gives up the state and the engine', async () => {
    const storage = join(directory, 'no-folder');
    writeFileSync(storage, '');
    await expect(start({ ...freePorts, FEATHERFLIGHT_STORAGE: storage })).rejects.toThrow();
    await expectNothingHeld();
  });
});

describe('a definitions file that never ends', () => {
  const file = () => join(directory, 'features/endless.ts');

  it.each([
    ['loops', 'while (true) {}', 'still running after 1.5 s'],
    ['awaits what never comes', 'setInterval(() => {}, 1000); await new Promise(() => {});', 'still running after 1.5 s'],
    ['awaits what nothing can bring', 'await new Promise(() => {});', 'ended while it was loaded'],
    ['exits', 'process.exit(3);', 'ended while it was loaded'],
  ])('for it %s is refused by its name, and the next apply is not', async (_, code, message) => {
    const { planApart } = (await built('serve/repository-task.js')) as typeof import('../../src/serve/repository-task.ts');
    const plan = () => planApart({ root: directory, environment: {} }, undefined, 1_500);
    writeFileSync(file(), `${code}\nexport {};\n`);
    try {
      await expect(plan()).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringContaining(message),
        details: { file: 'features/endless.ts' },
      });
    } finally {
      rmSync(file());
    }
    expect((await plan()).plan.changes.length).toBeGreaterThan(0);
  });
});

describe('a path', () => {
  it('of a pipe or a folder is refused at once', async () => {
    const server = await startProcess(directory);
    const python = startPython(prelude, { FEATHERFLIGHT_URL: server.url });
    for (const name of ['pipe.arrow', 'pipe.parquet']) execFileSync('mkfifo', [join(directory, 'frames', name)]);
    execFileSync('mkdir', [join(directory, 'frames/folder.parquet')]);
    const code = `[refused(lambda: raw.get_flight_info(request(path="frames/" + name))) for name in ("pipe.arrow", "pipe.parquet", "folder.parquet")]`;
    for (const error of (await python.run(code)) as { code: string; message: string }[]) {
      expect(error.code).toBe('INVALID_ARGUMENT');
      expect(error.message).toContain('no regular file');
    }
    expect(await python.run('still_works()')).toBe('works');
    await python.close();
    expect(await server.stop()).toEqual({ status: 0, signal: null });
  });
});
