/**
 * The feature log: online throughput of `featherflight serve` that logs 5 % of its keys beside one that logs nothing, in turn, over the same
 * Redis. BENCH_ENTITIES, BENCH_SECONDS, BENCH_ROUNDS: the sizes.
 */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { serveOurs, startRedis } from './online/servers.mjs';
import { load, waitForQuiet } from './support/load.mjs';
import { numbersFrom, prepareBenchPython, runPython, withScratch } from './support/prepare.mjs';

const [entities] = numbersFrom('BENCH_ENTITIES', [100_000]);
const [seconds] = numbersFrom('BENCH_SECONDS', [5]);
const [rounds] = numbersFrom('BENCH_ROUNDS', [5]);
const bar = 0.95;
const flushSeconds = 10;
const names = ['score', 'mean_7d', 'level', 'total', 'segment'];
const featuresOf = (view) => names.map((name) => `${view}:${view}_${name}`);
const users = [...featuresOf('profile'), ...featuresOf('activity')];
const items = 20_000;

/** By rows of a request: many keys, of which some are logged; 500 candidates of one user, who is logged or is not. */
const requests = new Map([
  ['1 row', (at) => ({ features: users, entities: { user_id: keysFrom(at, 1, entities) } })],
  ['100 rows', (at) => ({ features: users, entities: { user_id: keysFrom(at * 100, 100, entities) } })],
  [
    '500 candidates',
    (at) => ({
      features: [...users, ...featuresOf('item_stats')],
      entities: { user_id: [at * 31], item_id: keysFrom(at * 500, 500, items) },
    }),
  ],
]);

const python = await prepareBenchPython();
await withScratch(async (scratch) => {
  const folders = ['without', 'with'].map((name) => join(scratch, name));
  runPython(python, 'online/make_data.py', [folders[0], entities, items]);
  cpSync(folders[0], folders[1], { recursive: true });
  const config = join(folders[1], 'featherflight.config.ts');
  const logging = `logging: { sample: 0.05, flushSeconds: ${flushSeconds} },`;
  writeFileSync(config, readFileSync(config, 'utf8').replace(/defineConfig\(\{/, `defineConfig({ ${logging}`));
  const redis = await startRedis();
  const servers = [];
  try {
    for (const folder of folders) servers.push(await serveOurs(folder, redis));
    await servers[0].materialize(['profile', 'activity', 'item_stats']);
    for (const [name, bodyOf] of requests) await compare(name, bodyOf, servers, scratch);
    await tellLog(servers[1]);
  } finally {
    for (const server of servers) await server.stop();
    await redis.stop();
  }
});

async function compare(name, bodyOf, servers, scratch) {
  // Of many users, so that about the share that is asked for are among those that are logged.
  const bodies = Array.from({ length: 1024 }, (_, at) => bodyOf(at));
  const ratios = [];
  const rates = [[], []];
  const costs = [[], []];
  const loggedBefore = await loggedRows(servers[1]);
  let asks = 0;
  for (let round = 0; round < rounds; round += 1) {
    const found = [];
    // In turn, each first as often as the other.
    for (const at of round % 2 === 0 ? [0, 1] : [1, 0]) {
      await waitForQuiet();
      const asked = { url: servers[at].url, bodies, connections: 8, scratch };
      const { requests: first } = await load({ ...asked, seconds: 1 });
      const before = await processorSeconds(servers[at]);
      const { rate, requests: answered } = await load({ ...asked, seconds });
      found[at] = rate;
      if (at === 1) asks += first + answered;
      costs[at].push(((await processorSeconds(servers[at])) - before) / answered);
      rates[at].push(found[at]);
    }
    ratios.push(found[1] / found[0]);
  }
  const ratio = middle(ratios);
  const verdict = `${ratio.toFixed(3)}, at least ${bar}: ${ratio >= bar ? 'met' : 'missed'}`;
  console.log(
    `  ${name}: ${Math.round(middle(rates[0]))} requests a second without, ${Math.round(middle(rates[1]))} with; ratio ${verdict}`,
  );
  const [without, logged] = costs.map((each) => middle(each) * 1e6);
  console.log(`    processor time a request, all threads: ${without.toFixed(0)} us without, ${logged.toFixed(0)} us with`);
  await new Promise((done) => setTimeout(done, 1500 * flushSeconds));
  const rows = asks * Math.max(...Object.values(bodies[0].entities).map((keys) => keys.length));
  const share = (100 * ((await loggedRows(servers[1])) - loggedBefore)) / rows;
  console.log(`    rows that were logged: ${share.toFixed(1)} % of those that were served`);
  console.log(
    `    ratios of the rounds ${ratios.map((each) => each.toFixed(2)).join(', ')}; load of the machine ${loadavg()[0].toFixed(1)}`,
  );
}

/** Of all threads of the server: what other work on the machine hardly changes. */
async function processorSeconds({ url }) {
  return Number(/^process_cpu_seconds_total (\S+)/m.exec(await metricsOf(url))[1]);
}

async function loggedRows({ url }) {
  return Number(/^featherflight_feature_log_rows_total (\S+)/m.exec(await metricsOf(url))[1]);
}

async function metricsOf(url) {
  return await (await fetch(new URL('/metrics', url))).text();
}

async function tellLog({ url }) {
  for (const line of (await metricsOf(url)).split('\n').filter((each) => each.startsWith('featherflight_feature_log')))
    console.log(`  ${line}`);
}

function keysFrom(start, count, of) {
  return Array.from({ length: count }, (_, row) => ((start + row) * 7_919) % of);
}

function middle(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
