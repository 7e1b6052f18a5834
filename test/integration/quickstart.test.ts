/** docs/quickstart.md followed to the letter: its commands, its files, its Python, and the table that it prints. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCodeBlocks } from '../support/code-blocks.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const python = join(root, '.venv/bin/python');
const scratch = mkdtempSync(join(tmpdir(), 'featherflight-quickstart-'));
const blocks = readCodeBlocks('docs/quickstart.md');
const store = join(scratch, 'my_store');
const ports = { FEATHERFLIGHT_FLIGHT_PORT: '0', FEATHERFLIGHT_HTTP_PORT: '0' };
let server: ChildProcess | undefined;
let url = '';

interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(program: string, args: readonly string[], cwd: string): Promise<Finished> {
  const environment = { ...process.env, ...ports, ...(url === '' ? {} : { FEATHERFLIGHT_URL: url }) };
  const child = spawn(program, args, { cwd, env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const status = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
  return { status, stdout, stderr };
}

/** Runs shell lines of the page, where `featherflight` is the alias that the page makes. */
async function runShell(lines: string, cwd: string): Promise<void> {
  const alias = `featherflight() { '${process.execPath}' '${root}dist/cli/main.js' "$@"; }`;
  const finished = await run('bash', ['-ec', `${alias}\n${lines}`], cwd);
  expect(finished, lines).toMatchObject({ status: 0 });
}

function blockWith(language: string, part: string): string {
  const found = blocks.filter((block) => block.language === language && block.text.includes(part));
  expect(found, `a ${language} block with ${part}`).toHaveLength(1);
  return found[0]?.text ?? '';
}

async function startServer(): Promise<string> {
  expect(blockWith('sh', 'featherflight serve')).toContain('in my_store');
  const child = spawn(process.execPath, [join(root, 'dist/cli/main.js'), 'serve'], {
    cwd: store,
    env: { ...process.env, ...ports },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  server = child;
  return await new Promise((resolve, reject) => {
    let said = '';
    const listen = (chunk: Buffer): void => {
      said += chunk.toString();
      const address = /grpc:\/\/[^\s"]+/.exec(said)?.[0];
      if (address !== undefined) resolve(address);
    };
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    child.on('exit', (status) => reject(new Error(`the server ended with ${status}: ${said}`)));
  });
}

beforeAll(() => {
  expect(blocks.length).toBeGreaterThan(5);
});

afterAll(async () => {
  if (server !== undefined && server.exitCode === null) {
    const child = server;
    await new Promise((resolve) => {
      child.on('close', resolve);
      child.kill('SIGTERM');
    });
  }
  rmSync(scratch, { recursive: true, force: true });
});

describe('docs/quickstart.md', () => {
  it('makes a repository, applies it, serves it and builds the table that it shows', async () => {
    await runShell(blockWith('sh', 'featherflight init'), scratch);
    const data = await run(python, ['-c', blockWith('python', 'to_parquet')], scratch);
    expect(data).toMatchObject({ status: 0 });
    const definitions = blockWith('ts', 'batchSource');
    writeFileSync(join(scratch, /^\/\/ (\S+)/.exec(definitions)?.[1] as string), definitions);
    await runShell(blockWith('sh', 'featherflight apply'), scratch);

    url = await startServer();
    const training = await run(python, ['-c', blockWith('python', 'get_historical_features')], store);
    expect(training).toMatchObject({ status: 0 });
    const shown = blockWith('', 'orders_7d__status');
    const words = (text: string): string[] =>
      text
        .trim()
        .split('\n')
        .map((line) => line.trim().split(/\s+/).join(' '));
    expect(words(training.stdout)).toEqual(expect.arrayContaining(words(shown)));
  });
});
