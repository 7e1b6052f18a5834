/** `npm run demo` as a machine runs it: without a terminal, from nothing to a training set, and to its end. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { runProgram } from '../support/run-program.ts';
import { cliPath } from '../support/start-server.ts';

const scratch = mkdtempSync(join(tmpdir(), 'featherflight-demo-'));
const python = fileURLToPath(new URL('../../.venv/bin/python', import.meta.url));
let first = '';
const identityOf = (stdout: string) => /identity [0-9a-f]{16}/.exec(stdout)?.[0] ?? 'none';
const demo = () => runProgram(process.execPath, [cliPath, 'demo', 'streamrec'], { cwd: scratch });

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe('featherflight demo', () => {
  it('makes its data, applies, serves, prints a training set and its report, and ends with status 0', async () => {
    const { status, stdout, stderr } = await demo();
    first = stdout;
    expect(status, stderr).toBe(0);
    expect(stderr).toContain('definitions applied as version 1 (new or changed: 2 entities, ');
    const [sent = '', answered = ''] = stdout.split('The same rows in the same order, with 12 features');
    expect(sent).toContain('The entity frame, 20,000 rows:');
    expect(answered).toMatch(/^user_7d_completion_rate +[\d.]+ +[\d.]+ +[\d.]+$/m);
    expect(answered).toMatch(/^20,000 rows in .*; reproducible$/m);
    expect(answered).toMatch(/^item_popularity +item_stats +[\d,]+/m);
    expect(answered).toMatch(/^User \d+ at .*, offline and online:\n +offline +online\nuser_id +(\d+) +\1\n/m);
    expect(answered).toMatch(/^last_top_category +(\w+) +\1\n.*\nlocal_hour +(\d+) +\2$/m);
    expect(`${stdout}${stderr}`).not.toMatch(/warning/i);
    const events = `import pyarrow.dataset as ds; print(ds.dataset("${scratch}/streamrec/data/clicks").count_rows())`;
    expect(Number((await runProgram(python, ['-c', events])).stdout)).toBeGreaterThanOrEqual(200_000);
  });

  it('shows the same over the same data the next time', async () => {
    const { status, stdout, stderr } = await demo();
    expect(status).toBe(0);
    expect(stderr).toContain('definitions applied as version 1\n');
    expect(identityOf(stdout)).toMatch(/[0-9a-f]{16}$/);
    expect(identityOf(stdout)).toBe(identityOf(first));
  });

  it('ends with status 1 where its script fails', async () => {
    writeFileSync(join(scratch, 'streamrec/demo.py'), 'raise SystemExit(3)\n');
    const { status, stderr } = await demo();
    expect(status).toBe(1);
    expect(stderr).toContain('demo.py ended with status 3');
  });
});
