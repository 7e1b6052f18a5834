/** Load over HTTP from a process of its own: `wrk` where it is on the PATH, else `autocannon`; and waiting for a quiet machine. */
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('wrk.lua', import.meta.url));

export function hasWrk() {
  return spawnSync('wrk', ['--version']).error === undefined;
}

/**
 * Posts the bodies in turn from `connections` keep-alive connections; `pauseMs` is what a connection waits between an answer and
 * its next request. Resolves with requests per second and milliseconds of the percentiles; anything but 200 ends the run.
 */
export async function load({ url, bodies, connections, seconds, pauseMs = 0, scratch }) {
  const file = join(scratch, 'bodies');
  writeFileSync(file, bodies.map((body) => JSON.stringify(body)).join('\n'));
  const run = hasWrk() ? runWrk : runAutocannon;
  return await run({ url, file, connections, seconds, pauseMs });
}

async function runWrk({ url, file, connections, seconds, pauseMs }) {
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '30s', '-s', script, url, '--', file, String(pauseMs)];
  const { status, stdout, stderr } = await runToEnd('wrk', args);
  const line = stdout.split('\n').find((text) => text.startsWith('{'));
  if (status !== 0 || line === undefined) throw new Error(`wrk ended with ${status}: ${stderr}${stdout}`);
  return refuseErrors(JSON.parse(line), url);
}

async function runAutocannon({ url, file, connections, seconds, pauseMs }) {
  const autocannon = await import('autocannon').then(
    (module) => module.default,
    () => {
      throw new Error('no load generator: install wrk (Debian: apt-get install wrk), or "npm install --no-save autocannon"');
    },
  );
  const requests = readFileSync(file, 'utf8')
    .split('\n')
    .map((body) => ({ method: 'POST', headers: { 'content-type': 'application/json' }, body }));
  // It knows no pause, only a rate: that of connections which are answered at once.
  const overallRate = pauseMs === 0 ? undefined : Math.round((connections * 1000) / pauseMs);
  const result = await autocannon({ url, connections, duration: seconds, requests, overallRate, workers: 1, timeout: 30 });
  const { p50, p99, max } = result.latency;
  const errors = result.errors + result.non2xx;
  return refuseErrors(
    { rate: result.requests.total / result.duration, p50, p99, max, requests: result.requests.total, errors },
    url,
  );
}

function refuseErrors(result, url) {
  if (result.errors > 0 || result.requests === 0) {
    throw new Error(`${url}: ${result.errors} errors, ${result.requests} answers: the figures mean nothing`);
  }
  return result;
}

/** Runs a program while this process goes on. */
export async function runToEnd(program, args, options = {}) {
  return await new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => (stdout += chunk));
    child.stderr.on('data', (chunk) => (stderr += chunk));
    child.on('error', reject).on('close', (status) => resolve({ status, stdout, stderr }));
  });
}

/** Waits until other work leaves the processors nearly idle, or for as long as it may. */
export async function waitForQuiet(atMostSeconds = Number(process.env.BENCH_QUIET_SECONDS ?? 30), busy = 0.2) {
  const deadline = performance.now() + atMostSeconds * 1000;
  while (performance.now() < deadline) {
    const before = processorTicks();
    await sleep(500);
    const now = processorTicks();
    if ((now.used - before.used) / (now.total - before.total) < busy) return;
  }
}

function processorTicks() {
  let used = 0;
  let total = 0;
  for (const { times } of cpus()) {
    const all = times.user + times.nice + times.sys + times.irq + times.idle;
    total += all;
    used += all - times.idle;
  }
  return { used, total };
}
