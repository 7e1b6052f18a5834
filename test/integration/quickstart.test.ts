/** docs/quickstart.md followed to the letter: its commands, its files, its Python and JavaScript, and all that it says they print. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCodeBlocks } from '../support/code-blocks.ts';
import { runProgram } from '../support/run-program.ts';
import { freePorts, type ServerProcess, startServer } from '../support/start-server.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const python = join(root, '.venv/bin/python');
const scratch = mkdtempSync(join(tmpdir(), 'featherflight-quickstart-'));
const page = readFileSync(join(root, 'docs/quickstart.md'), 'utf8');
const blocks = readCodeBlocks('docs/quickstart.md');
const store = join(scratch, 'my_store');
let server: ServerProcess | undefined;
/** Runs a program of the page, told where the server listens instead of where it would by default; resolves with what it prints. */
async function run(program: string, args: readonly string[], cwd: string): Promise<string> {
  const there =
    ({ url, http }: ServerProcess) =>
    (text: string) =>
      text.replaceAll('grpc://127.0.0.1:8815', url).replaceAll('http://127.0.0.1:6566', http);
  const environment = { ...freePorts, ...(server === undefined ? {} : { FEATHERFLIGHT_URL: server.url }) };
  const finished = await runProgram(program, server === undefined ? args : args.map(there(server)), { cwd, environment });
  expect(finished, args.at(-1)).toMatchObject({ status: 0 });
  return finished.stdout;
}

const runPython = (part: string, cwd: string) => run(python, ['-c', blockWith('python', part)], cwd);

/** Runs shell lines of the page, where `featherflight` is the alias that the page makes. */
async function runShell(lines: string, cwd: string): Promise<string> {
  const alias = `featherflight() { '${process.execPath}' '${root}dist/cli/main.js' "$@"; }`;
  return await run('bash', ['-ec', `${alias}\n${lines}`], cwd);
}

/** Lines as words, as widths of columns are nobody's promise. */
function wordsOf(text: string): string[] {
  return text
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).join(' '));
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
    await runPython('date_range', scratch);
    const definitions = blockWith('ts', 'batchSource');
    writeFileSync(join(scratch, /^\/\/ (\S+)/.exec(definitions)?.[1] as string), definitions);
    await runShell(blockWith('sh', 'featherflight apply'), scratch);

    expect(blockWith('sh', 'featherflight serve')).toContain('in my_store');
    server = await startServer(store);
    const training = await runPython('get_historical_features', store);
    expect(wordsOf(training)).toEqual(expect.arrayContaining(wordsOf(blockWith('', 'orders_7d__status'))));
  });

  it('serves the rows of today to the command line, Python, Node and curl', async () => {
    await runPython('read_parquet', store);
    const asked = await runShell(blockWith('sh', 'get-online-features'), store);
    expect(wordsOf(asked)).toEqual(expect.arrayContaining(wordsOf(blockWith('', 'NOT_FOUND, default'))));
    expect(asked).not.toContain('never materialized');
    expect(wordsOf(await runPython('get_online_features', store))).toEqual(wordsOf(blockWith('', "['PRESENT'")));
    const told = await run(process.execPath, ['--input-type=module', '-e', blockWith('js', 'getOnlineFeatures')], root);
    expect(told).toBe(blockWith('', '12n'));
    const answer = JSON.parse(await runShell(blockWith('sh', 'curl'), store)) as { columns: object };
    const shown = /`("revenue_7d":\{.*\})`/.exec(page)?.[1];
    expect(answer.columns).toEqual(JSON.parse(`{${shown}}`));
  });
});
