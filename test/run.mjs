/**
 * `npm test`: builds, prepares Python, runs every suite and ends with one line, `N passed, N failed`.
 * Every failed test stands again, in a line of its own, before the counts: a log is often kept from its end.
 * Exit status 1 where anything failed or a suite ran nothing. `--only unit` runs the suites that mirror src/ alone.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'featherflight-test-'));
const onlyUnit = process.argv.includes('--only') && process.argv.includes('unit');

const rows = [];
const failures = [];
try {
  await runAll();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  failures.push(`set-up: ${error instanceof Error ? error.message : error}`);
  report('set-up', { passed: 0, failed: 1, skipped: 0 });
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
printSummary();

async function runAll() {
  heading('build');
  if (run('npm', ['run', '--silent', 'build']) !== 0) throw new Error('the build failed');
  const { setupVenv } = await import('./setup-venv.mjs');
  const python = await setupVenv();
  report(`vitest, Node ${process.versions.node}`, runVitest());
  if (onlyUnit) return;
  const client = join(root, 'python_client');
  report('pytest python_client', runPytest(python, 'client', client, ['tests']));
  report('mypy', runCheck(python, ['-m', 'mypy'], client));
  report('ruff check', runCheck(python, ['-m', 'ruff', 'check', '--no-cache', '.'], client));
  report('ruff format', runCheck(python, ['-m', 'ruff', 'format', '--check', '--no-cache', '.'], client));
  const elsewhere = ['test', 'notebooks', 'src/demo/template'].filter((folder) => existsSync(join(root, folder)));
  report('ruff elsewhere', runCheck(python, ['-m', 'ruff', 'check', '--line-length=120', '--no-cache', ...elsewhere], root));
  report('notebooks', runPytest(python, 'notebooks', root, ['test/notebooks']));
}

function runVitest() {
  heading(`vitest, Node ${process.versions.node}`);
  const file = join(scratch, 'vitest.json');
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const status = run(process.execPath, [vitest, 'run', ...(onlyUnit ? ['--project', 'unit'] : []), ...reporters]);
  if (!existsSync(file)) return { passed: 0, failed: 1, skipped: 0 };
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = JSON.parse(readFileSync(file, 'utf8'));
  const broken = testResults.filter((file) => file.status === 'failed' && !file.assertionResults.some(isFailed));
  for (const { name, message } of broken) failures.push(`${relative(root, name)}: ${message}`);
  for (const { name, assertionResults } of testResults) {
    for (const test of assertionResults.filter(isFailed)) {
      failures.push(`${relative(root, name)}: ${test.fullName}: ${test.failureMessages[0]}`);
    }
  }
  return honest(
    { passed: numPassedTests, failed: numFailedTests + broken.length, skipped: numPendingTests + numTodoTests },
    status,
  );
}

function isFailed(test) {
  return test.status === 'failed';
}

function runPytest(python, name, cwd, targets) {
  heading(`pytest ${name}`);
  const file = join(scratch, `${name}.xml`);
  const status = run(python, ['-m', 'pytest', '-q', '-p', 'no:cacheprovider', `--junitxml=${file}`, ...targets], cwd);
  if (!existsSync(file)) return { passed: 0, failed: 1, skipped: 0 };
  const report = readFileSync(file, 'utf8');
  const suite = /<testsuite [^>]*>/.exec(report)?.[0] ?? '';
  const failedCases = /<testcase classname="([^"]*)" name="([^"]*)"[^>]*><(?:failure|error) message="([^"]*)"/g;
  for (const [, module, test, message] of report.matchAll(failedCases)) failures.push(`${module}: ${test}: ${message}`);
  const count = (attribute) => Number(new RegExp(` ${attribute}="(\\d+)"`).exec(suite)?.[1] ?? 0);
  const failed = count('failures') + count('errors');
  return honest({ passed: count('tests') - failed - count('skipped'), failed, skipped: count('skipped') }, status);
}

function runCheck(python, args, cwd) {
  const name = args.slice(1).join(' ');
  heading(name);
  if (run(python, args, cwd) === 0) return { passed: 1, failed: 0, skipped: 0 };
  failures.push(name);
  return { passed: 0, failed: 1, skipped: 0 };
}

/** A suite that ran nothing, or failed outside any of its tests, has failed once. */
function honest(counts, status) {
  const unexplained = counts.failed === 0 && (status !== 0 || counts.passed === 0);
  return unexplained ? { ...counts, failed: 1 } : counts;
}

function run(program, args, cwd = root) {
  return spawnSync(program, args, { cwd, stdio: 'inherit' }).status ?? 1;
}

function heading(text) {
  console.log(`\n== ${text}`);
}

function report(suite, counts) {
  rows.push({ suite, ...counts });
}

function printSummary() {
  const total = (key) => rows.reduce((sum, row) => sum + row[key], 0);
  console.log('');
  for (const failure of failures) console.log(`not ok: ${failure.replaceAll(/\s+/g, ' ').slice(0, 400)}`);
  for (const { suite, passed, failed, skipped } of rows) {
    console.log(
      `${suite.padEnd(28)} ${String(passed).padStart(6)} ok ${String(failed).padStart(6)} not ok ${String(skipped).padStart(6)} left out`,
    );
  }
  process.exitCode = total('failed') === 0 && total('passed') > 0 ? 0 : 1;
  console.log(`\n${total('passed')} passed, ${total('failed')} failed`);
}
