/** The command line beside a running server: asking it, applying through it, and keeping out of its state. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CommandRun, runCommand } from '../cli/run-command.ts';
import { runProgram } from '../support/run-program.ts';
import { applyRepository, cliPath, type ServerProcess, startServer } from '../support/start-server.ts';

const scratch = mkdtempSync(join(tmpdir(), 'featherflight-commands-'));
const store = join(scratch, 'store');
const definitions = join(store, 'features', 'customer.ts');
let server: ServerProcess;

beforeAll(async () => {
  expect(await runCommand(['init', 'store'], { directory: scratch })).toMatchObject({ status: 0 });
  await applyRepository(store);
  server = await startServer(store, { args: ['--watch'] });
});
afterAll(async () => {
  await server?.stop();
  rmSync(scratch, { recursive: true, force: true });
});

/** The same command on the state and, from another folder, on the server. */
const both = async (...args: string[]): Promise<[CommandRun, CommandRun]> => [
  await runCommand(args, { directory: store }),
  await runCommand([...args, '--url', server.url], { directory: scratch }),
];

describe('a command with --url', () => {
  it.each([[['list']], [['list', 'views', '--json']], [['describe', 'churn_v1']], [['describe', 'customer_stats', '--json']]])(
    '%j says what it says of the state',
    async (args) => {
      const [here, there] = await both(...args);
      expect(there).toEqual(here);
      expect(there.status).toBe(0);
    },
  );

  it('makes the same training set, from and to every kind of file', async () => {
    for (const entities of ['frame.csv', 'frame.arrow', 'frame.parquet']) {
      const path = join(store, 'data', entities);
      const args = ['get-historical-features', '--entities', path, '--service', 'churn_v1'];
      for (const out of ['-', 'answer.arrow', 'answer.parquet']) {
        const [here, there] = await both(...args, '--out', out);
        expect({ status: here.status, stderr: here.status === 0 ? '' : here.stderr }).toEqual({ status: 0, stderr: '' });
        expect(there.status).toBe(0);
        if (out === '-') expect(there.stdout).toBe(here.stdout);
        else expect(readFileSync(join(scratch, out)).equals(readFileSync(join(store, out)))).toBe(true);
      }
      if (entities === 'frame.csv') {
        for (const next of ['frame.arrow', 'frame.parquet']) {
          const copy = [
            'get-historical-features',
            '--entities',
            path,
            '--features',
            'customer_stats@x:spend_30d',
            '--out',
            `data/${next}`,
          ];
          expect(await runCommand(copy, { directory: store })).toMatchObject({ status: 0 });
        }
      }
    }
  });

  it('takes the address from the environment, and passes on what the server refuses', async () => {
    const environment = { FEATHERFLIGHT_URL: server.url };
    expect(await runCommand(['list', 'entities'], { directory: scratch, environment })).toMatchObject({ status: 0 });
    expect(await runCommand(['describe', 'churn_v2'], { directory: scratch, environment })).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('did you mean "churn_v1"?'),
    });
    const frame = join(store, 'data', 'frame.csv');
    const wrong = ['get-historical-features', '--entities', frame, '--features', 'customer_stats:spend', '--out', 'x.parquet'];
    expect(await runCommand(wrong, { directory: scratch, environment })).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('spend_30d'),
    });
  });

  it('says where no server answers', async () => {
    expect(await runCommand(['list', '--url', 'grpc://127.0.0.1:1'])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('no answer from grpc://127.0.0.1:1'),
    });
  });

  it('apply makes the server read its repository again, after asking a person', async () => {
    const asked = await runCommand(['apply', '--url', server.url], { directory: scratch, answer: false });
    expect(asked).toMatchObject({ status: 1, questions: [expect.stringContaining(server.url)] });
    expect(await runCommand(['apply', '--url', server.url], { directory: scratch })).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('applied as version'),
    });
  });
});

describe('plan with --url', () => {
  it('says what it says of the state: nothing to change', async () => {
    for (const args of [
      ['plan', '--exit-code'],
      ['plan', '--json'],
    ]) {
      const [here, there] = await both(...args);
      expect(there).toEqual(here);
      expect(there.status).toBe(0);
    }
  });

  it('has the server read its own repository again, and changes nothing', async () => {
    const quiet = join(scratch, 'quiet');
    expect(await runCommand(['init', 'quiet'], { directory: scratch })).toMatchObject({ status: 0 });
    await applyRepository(quiet);
    const own = await startServer(quiet);
    const plan = (...args: string[]) => runCommand(['plan', ...args, '--url', own.url], { directory: scratch });
    try {
      const file = join(quiet, 'features', 'customer.ts');
      const text = readFileSync(file, 'utf8');
      writeFileSync(file, text.replace("ttl: '7d'", "ttl: '9d'"));
      const here = await runCommand(['plan', '--exit-code'], { directory: quiet });
      expect(here).toMatchObject({ status: 1, stdout: expect.stringContaining('9d') });
      expect(await plan('--exit-code')).toEqual(here);
      expect(JSON.parse((await plan('--json')).stdout)).toMatchObject({ version: 1, changes: [{ name: 'customer_stats' }] });
      expect((await runCommand(['list', 'views', '--url', own.url])).stdout).toContain('7d');
      writeFileSync(file, text.replace("ttl: '7d'", "ttl: '9x'"));
      expect(await plan()).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining('9x') });
    } finally {
      await own.stop();
    }
  });
});

describe('while the server holds the state', () => {
  it('apply on it is refused, naming the process', async () => {
    expect(await runCommand(['apply', '--yes'], { directory: store })).toMatchObject({
      status: 1,
      stderr: expect.stringContaining(`process ${server.pid} `),
    });
  });

  it('a saved definition is applied, and a refused one is not', async () => {
    const text = readFileSync(definitions, 'utf8');
    const ttl = async () =>
      JSON.parse((await runCommand(['list', 'views', '--json', '--url', server.url])).stdout).rows[0].ttl as string;
    writeFileSync(definitions, text.replace("ttl: '7d'", "ttl: '9d'"));
    await expect.poll(ttl, { timeout: 20_000, interval: 200 }).toBe('9d');
    writeFileSync(definitions, text.replace("ttl: '7d'", "ttl: '9x'"));
    await expect.poll(() => server.log(), { timeout: 20_000, interval: 200 }).toContain('not applied: ');
    expect(await ttl()).toBe('9d');
    writeFileSync(definitions, text);
    await expect.poll(ttl, { timeout: 20_000, interval: 200 }).toBe('7d');
  });
});

describe('the program itself', () => {
  it('answers version quickly', async () => {
    const seconds: number[] = [];
    for (let round = 0; round < 5; round++) {
      const started = performance.now();
      expect(await runProgram(process.execPath, [cliPath, 'version'])).toMatchObject({
        status: 0,
        stdout: expect.stringMatching(/^featherflight \d/),
      });
      seconds.push((performance.now() - started) / 1000);
    }
    expect(Math.min(...seconds)).toBeLessThan(0.3);
  });

  it('serve ends with status 0 on SIGTERM and gives the state up', async () => {
    expect(await server.stop('SIGTERM')).toEqual({ status: 0, signal: null });
    expect(await runCommand(['apply', '--yes'], { directory: store })).toMatchObject({ status: 0 });
  });

  it('serve refuses a state that is held, and a repository that is none, with status 1', async () => {
    const first = await startServer(store);
    await expect(startServer(store)).rejects.toThrow(/ended with 1: featherflight: the state in .* is held by process/);
    await first.stop();
    await expect(startServer(scratch)).rejects.toThrow(/ended with 1: featherflight: .* is no feature repository/);
  });
});
