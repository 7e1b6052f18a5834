/** docs/quickstart.md followed to the letter: its commands, its files, its Python, and the table that it prints. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCodeBlocks } from '../support/code-blocks.ts';
import { type FinishedProgram, runProgram } from '../support/run-program.ts';
import { freePorts, type ServerProcess, startServer } from '../support/start-server.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const python = join(root, '.venv/bin/python');
const scratch = mkdtempSync(join(tmpdir(), 'featherflight-quickstart-'));
const blocks = readCodeBlocks('docs/quickstart.md');
const store = join(scratch, 'my_store');
let server: ServerProcess | undefined;
let url = '';

const run = (program: string, args: readonly string[], cwd: string): Promise<FinishedProgram> =>
  runProgram(program, args, { cwd, environment: { ...freePorts, ...(url === '' ? {} : { FEATHERFLIGHT_URL: url }) } });

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

beforeAll(() => {
  expect(blocks.length).toBeGreaterThan(5);
});

afterAll(async () => {
  await server?.stop();
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

    expect(blockWith('sh', 'featherflight serve')).toContain('in my_store');
    server = await startServer(store);
    url = server.url;
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
