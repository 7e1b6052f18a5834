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
/** The rows with their features, as printed. */
const trainingOf = (stdout: string) => /The same rows in the same order.*?\n\n/s.exec(stdout)?.[0] ?? 'none';
const completionsOf = (stdout: string) => Number(/^completions_ever +(\d+) +\1$/m.exec(stdout)?.[1]);
const demo = () => runProgram(process.execPath, [cliPath, 'demo', 'streamrec'], { cwd: scratch });

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe('featherflight demo', () => {
  it('makes its data, applies, serves, prints a training set and its report, and ends with status 0', async () => {
    const { status, stdout, stderr } = await demo();
    first = stdout;
    expect(status, stderr).toBe(0);
    expect(stderr).toContain('definitions applied as version 1 (new or changed: 2 entities, ');
    const [sent = '', answered = ''] = stdout.split('The same rows in the same order, with 22 features');
    expect(sent).toContain('The entity frame, 20,000 rows:');
    expect(answered).toMatch(/^user_7d_completion_rate +[\d.]+ +[\d.]+$/m);
    expect(answered).toMatch(/^session_last_items +\[\d+, \d+, \d+\] +\[\d+\]$/m);
    expect(answered).toMatch(/^20,000 rows in [\s\S]*?;\s+reproducible$/m);
    expect(answered).toMatch(/^item_popularity +item_stats +[\d,]+/m);
    expect(answered).toMatch(/^User \d+ at .*, offline and online:\n +offline +online\nuser_id +(\d+) +\1\n/m);
    expect(answered).toMatch(/^Pushed 6 events of user \d+, .* all served [\d.]+ s later\.$/m);
    expect(answered).toMatch(
      /^session_click_count +2 +2\nsession_duration_sec +120\.0 +120\.0\nsession_last_category +(\w+) +\1\n/m,
    );
    expect(completionsOf(stdout)).toBeGreaterThan(1);
    expect(answered).toMatch(/^last_top_category +(\w+) +\1\n/m);
    expect(answered).toMatch(/^local_hour +(\d+) +\1$/m);
    expect(`${stdout}${stderr}`).not.toMatch(/warning/i);
    const events = `import pyarrow.dataset as ds; print(ds.dataset("${scratch}/streamrec/data/clicks").count_rows())`;
    expect(Number((await runProgram(python, ['-c', events])).stdout)).toBeGreaterThanOrEqual(200_000);
  });

  it('shows the same rows the next time, and counts the events of that time too', async () => {
    const { status, stdout, stderr } = await demo();
    expect(status).toBe(0);
    expect(stderr).toContain('definitions applied as version 1\n');
    expect(trainingOf(stdout)).toContain('completion_rate_7d');
    expect(trainingOf(stdout)).toBe(trainingOf(first));
    expect(completionsOf(stdout)).toBe(completionsOf(first) + 1);
  });

  it('ends with status 1 where its script fails', async () => {
    writeFileSync(join(scratch, 'streamrec/demo.py'), 'raise SystemExit(3)\n');
    const { status, stderr } = await demo();
    expect(status).toBe(1);
    expect(stderr).toContain('demo.py ended with status 3');
  });
});
