/** Both sides of the online benchmark: one server process each, over one Redis; how they are asked and what they answered. */
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createJiti } from 'jiti';
import { runToEnd } from '../support/load.mjs';
import { benchFolder } from '../support/prepare.mjs';

const load = (file) => createJiti(import.meta.url).import(`../../support/${file}`);
export const { freePort, startRedis } = await load('start-redis.ts');
const { applyRepository, startServer } = await load('start-server.ts');
const script = join(benchFolder, 'online/run_feast.py');

/** `featherflight serve` with the online store in database 0. */
export async function serveOurs(folder, redis) {
  process.env.FEATHERFLIGHT_REDIS_URL = `redis://${redis.address}/0`;
  await applyRepository(folder);
  const server = await startServer(folder, { environment: { FEATHERFLIGHT_LOG_LEVEL: 'warn' } });
  return {
    name: 'ours',
    flight: server.url,
    pid: server.pid,
    url: `${server.http}/api/v1/online-features`,
    /** Seconds of materializing the views. */
    async materialize(views) {
      const started = performance.now();
      await post(`${server.http}/api/v1/materialize`, { views });
      return (performance.now() - started) / 1000;
    },
    body: (features, entities) => ({ features, entities }),
    table: ({ columns }) => columns,
    stop: () => server.stop(),
  };
}

/** `feast serve` with one worker, its online store in database 1. */
export async function serveFeast(python, folder, redis) {
  await run(python, [script, folder, redis.port, 'apply']);
  const port = await freePort();
  const options = ['--port', port, '--no-access-log', '--workers', 1, '--max-requests', 0];
  const child = spawn(join(dirname(python), 'feast'), ['-c', join(folder, 'feast'), 'serve', ...options].map(String), {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let log = '';
  child.stderr.on('data', (chunk) => (log += chunk));
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; !(await isHealthy(url)); tries += 1) {
    if (child.exitCode !== null || tries > 600) throw new Error(`feast serve does not answer: ${log}`);
    await sleep(100);
  }
  return {
    name: 'Feast',
    url: `${url}/get-online-features`,
    async materialize() {
      const { stdout } = await run(python, [script, folder, redis.port, 'materialize']);
      return JSON.parse(stdout.trim().split('\n').at(-1)).seconds;
    },
    body: (features, entities) => ({ features, entities }),
    table: ({ results, metadata }) => Object.fromEntries(metadata.feature_names.map((name, at) => [name, results[at]])),
    async stop() {
      child.kill('SIGTERM');
      if (child.exitCode === null) await new Promise((resolve) => child.on('close', resolve));
    },
  };
}

export async function post(url, body) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (response.status !== 200) throw new Error(`${url} answered ${response.status}: ${(await response.text()).slice(0, 500)}`);
  return await response.json();
}

/** Throws where two answers differ in a value: int64 is text on our side. Statuses are not compared: Feast calls an unknown key's PRESENT. */
export function requireEqual(mine, theirs, features) {
  for (const reference of features) {
    const name = reference.slice(reference.indexOf(':') + 1);
    const [a, b] = [mine[name], theirs[name]];
    for (let row = 0; row < a.values.length; row += 1) {
      if (asText(a.values[row]) === asText(b.values[row]) && a.values.length === b.values.length) continue;
      const told = [a, b].map(({ values, statuses }) => `${values[row]} ${statuses[row]}`).join(' and ');
      throw new Error(`the answers differ in ${name}, row ${row}: ${told}; the figures would mean nothing`);
    }
  }
}

function asText(value) {
  return value === null || value === undefined ? null : String(value);
}

async function run(program, args) {
  const ended = await runToEnd(program, args.map(String), { env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' } });
  if (ended.status !== 0) throw new Error(`${args[0]} ended with ${ended.status}: ${ended.stderr.slice(-2000)}`);
  return ended;
}

async function isHealthy(url) {
  return await fetch(`${url}/health`).then(
    (response) => response.ok,
    () => false,
  );
}
