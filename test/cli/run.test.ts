import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openState } from '../../src/registry/state.ts';
import { runCommand } from './run-command.ts';

const scratch = mkdtempSync(join(tmpdir(), 'featherflight-cli-'));
const store = join(scratch, 'store');
const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe('featherflight', () => {
  it('version prints the version, also as --version and in JSON', async () => {
    expect(await runCommand(['version'])).toMatchObject({ status: 0, stdout: `featherflight ${version}\n`, stderr: '' });
    expect(await runCommand(['--version'])).toMatchObject({ status: 0, stdout: `featherflight ${version}\n` });
    expect(JSON.parse((await runCommand(['version', '--json'])).stdout)).toEqual({ version });
  });

  it('--help names every command, and each command its options, with status 0', async () => {
    const { status, stdout } = await runCommand(['--help']);
    expect(status).toBe(0);
    for (const name of ['init', 'plan', 'apply', 'list', 'describe', 'version']) {
      expect(stdout).toMatch(new RegExp(`^  ${name} `, 'm'));
      expect(await runCommand([name, '--help'])).toMatchObject({
        status: 0,
        stdout: expect.stringContaining(`Usage: featherflight ${name}`),
      });
    }
  });

  it.each([
    [[], 'Usage: featherflight'],
    [['lst'], 'Did you mean list?'],
    [['plan', '--exitcode'], 'Did you mean --exit-code?'],
    [['plan', 'extra'], 'too many arguments'],
    [['list', 'things'], 'Allowed choices are entities, sources, views, services, features'],
    [['list', 'feature_vews'], 'did you mean "feature-views"?'],
    [['list', 'entity'], 'did you mean "entities"?'],
    [['describe', 'x', '--kind', 'view'], 'did you mean "views"?'],
    [['describe'], "missing required argument 'name'"],
    [['init', 'x', '--template', 'none'], 'Allowed choices are streamrec, minimal'],
  ])('ends with status 2 on %j and says what is wrong', async (args, message) => {
    const { status, stdout, stderr } = await runCommand(args, { directory: scratch });
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain(message);
  });

  it('ends with status 1 where there is no repository, in JSON where asked', async () => {
    expect(await runCommand(['plan'], { directory: scratch })).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^featherflight: .* is no feature repository/),
    });
    const { stderr } = await runCommand(['--json', 'plan'], { directory: scratch });
    expect(JSON.parse(stderr)).toEqual({
      error: { code: 'NOT_FOUND', message: expect.any(String), details: { directory: scratch } },
    });
  });
});

describe('a repository from the first command on', () => {
  beforeAll(async () => {
    expect(await runCommand(['init', 'store'], { directory: scratch })).toMatchObject({
      status: 0,
      stdout: expect.stringContaining(store),
    });
  });

  it('init refuses a folder that is in use', async () => {
    expect(await runCommand(['init', 'store'], { directory: scratch })).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('is there already'),
    });
  });

  it('list and describe say that nothing is applied yet', async () => {
    expect(await runCommand(['list'], { directory: store })).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('featherflight apply'),
    });
  });

  it('plan shows what would change; --exit-code makes that a status, -C may stand on either side', async () => {
    const { status, stdout } = await runCommand(['-C', 'store', 'plan'], { directory: scratch });
    expect(status).toBe(0);
    expect(stdout).toContain('+ feature view customer_stats');
    expect(stdout).toContain('4 to add, 0 to change, 0 to remove.');
    expect(await runCommand(['plan', '--exit-code', '-C', store], { directory: scratch })).toMatchObject({
      status: 1,
      stdout,
      stderr: '',
    });
    const json = JSON.parse((await runCommand(['plan', '--json'], { directory: store })).stdout);
    expect(json).toMatchObject({ version: 0, changes: [{ action: 'add', kind: 'entity', name: 'customer' }, {}, {}, {}] });
  });

  it('apply asks a person, and takes no for an answer', async () => {
    const refused = await runCommand(['apply'], { directory: store, answer: false });
    expect(refused).toMatchObject({ status: 1, stderr: 'nothing was applied\n', questions: ['Apply?'] });
    expect(await runCommand(['apply'], { directory: store, answer: true })).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('applied as version 1'),
      questions: ['Apply?'],
    });
  });

  it('apply asks nothing with --yes, without a terminal or without changes', async () => {
    for (const args of [['apply'], ['apply', '--yes']]) {
      expect(await runCommand(args, { directory: store, answer: false })).toMatchObject({ status: 0, questions: [] });
    }
    expect(await runCommand(['apply', '--json'], { directory: store })).toMatchObject({
      status: 0,
      stdout: '{"version":1,"changes":[]}\n',
    });
    expect(await runCommand(['plan', '--exit-code'], { directory: store })).toMatchObject({ status: 0 });
  });

  it('list prints tables of every kind', async () => {
    const { stdout } = await runCommand(['list'], { directory: store });
    expect(stdout.split('\n')[0]).toMatch(/^NAME +TYPE +DEFAULT +NEWEST_EVENT +DESCRIPTION$/);
    expect(stdout).toMatch(/^customer_stats:orders_30d +int64 +0 +2026-03-02T00:00:00.000000Z/m);
    for (const [kind, name] of [
      ['entities', 'customer'],
      ['sources', 'customer_daily'],
      ['views', 'customer_stats'],
      ['feature_views', 'customer_stats'],
      ['feature-services', 'churn_v1'],
      ['services', 'churn_v1'],
    ]) {
      const { status, stdout: table } = await runCommand(['list', kind as string], { directory: store });
      expect({ status, line: table.split('\n')[1]?.split(' ')[0] }).toEqual({ status: 0, line: name });
    }
    expect(JSON.parse((await runCommand(['list', 'views', '--json'], { directory: store })).stdout)).toMatchObject({
      kind: 'feature_views',
      rows: [{ name: 'customer_stats', ttl: '7d' }],
    });
  });

  it('describe prints all of a name, and suggests for a wrong one', async () => {
    const { stdout } = await runCommand(['describe', 'customer_stats'], { directory: store });
    expect(stdout).toMatch(/^feature view customer_stats\n {2}kind +batch\n/);
    expect(stdout).toMatch(/^ {2}join_keys +customer_id: int64$/m);
    expect(await runCommand(['describe', 'customer_stat'], { directory: store })).toMatchObject({
      status: 1,
      stderr: 'featherflight: nothing named "customer_stat" has been applied; did you mean "customer_stats"?\n',
    });
  });

  it('apply refuses with every problem, and while a server holds the state', async () => {
    const bad =
      "import { entity } from 'featherflight';\nexport const a = entity('A', { joinKeys: { id: 'int46' } } as never);\n";
    writeFileSync(join(store, 'features', 'bad.ts'), bad);
    const { status, stderr } = await runCommand(['apply', '--yes'], { directory: store });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^featherflight: the definitions are refused for 2 reasons:\n {2}features\/bad.ts: /);
    rmSync(join(store, 'features', 'bad.ts'));
    const state = await openState(join(store, '.featherflight'), { purpose: 'serve', address: 'grpc://127.0.0.1:1' });
    expect(await runCommand(['apply', '--yes'], { directory: store })).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('grpc://127.0.0.1:1'),
    });
    expect(await runCommand(['list'], { directory: store })).toMatchObject({ status: 0 });
    await state.close();
  });
});
