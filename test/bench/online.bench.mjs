/**
 * Online: features over HTTP from `featherflight serve`, beside Feast's Python feature server over the same Redis where
 * FEATHERFLIGHT_BENCH_FEAST names a Python that has `feast[duckdb,redis]`; memory, materializing, a ranker's request, and reads while
 * the same process streams a training set. BENCH_ENTITIES, BENCH_ROWS (of the stream), BENCH_SECONDS, BENCH_ROUNDS: the sizes.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { post, requireEqual, serveFeast, serveOurs, startRedis } from './online/servers.mjs';
import { load, waitForQuiet } from './support/load.mjs';
import { benchFolder, numbersFrom, prepareBenchPython, runPython, withScratch } from './support/prepare.mjs';

const [entities] = numbersFrom('BENCH_ENTITIES', [100_000]);
const [streamRows] = numbersFrom('BENCH_ROWS', [10_000_000]);
const [seconds] = numbersFrom('BENCH_SECONDS', [5]);
const [rounds] = numbersFrom('BENCH_ROUNDS', [3]);
const items = 20_000;
const candidates = 500;
const rateBars = new Map([
  [1, 8],
  [10, 12],
  [100, 25],
]);
const names = ['score', 'mean_7d', 'level', 'total', 'segment'];
const featuresOf = (view) => names.map((name) => `${view}:${view}_${name}`);
const userFeatures = [...featuresOf('profile'), ...featuresOf('activity')];
const feastPython = process.env.FEATHERFLIGHT_BENCH_FEAST;

const python = await prepareBenchPython();
await withScratch(async (scratch) => {
  const folder = join(scratch, 'repository');
  runPython(python, 'online/make_data.py', [folder, entities, items]);
  const redis = await startRedis();
  const servers = [];
  try {
    const ours = await serveOurs(folder, redis);
    servers.push(ours);
    const feast = feastPython === undefined ? undefined : await serveFeast(feastPython, folder, redis);
    if (feast === undefined)
      console.log("Feast is left out: FEATHERFLIGHT_BENCH_FEAST names no Python with 'feast[duckdb,redis]==0.67.*'");
    else servers.push(feast);
    await fillStores(servers, redis);
    await ours.materialize(['item_stats']);
    if (feast !== undefined) await compareAnswers(ours, feast);
    for (const rows of rateBars.keys()) await compareRates(servers, rows, scratch);
    await askForCandidates(ours, scratch);
    await readWhileStreaming(ours, scratch);
  } finally {
    for (const server of servers) await server.stop();
    await redis.stop();
  }
});

/** Materializes both sides: rows per second, and what Redis holds for each entity. */
async function fillStores(sides, redis) {
  const rows = entities * 2;
  const took = [];
  const bytes = [];
  for (const side of sides) {
    await waitForQuiet();
    const before = await memoryOf(redis);
    took.push(await side.materialize(['profile', 'activity']));
    bytes.push(((await memoryOf(redis)) - before) / entities);
    console.log(
      `  ${side.name}: ${count(rows / took.at(-1))} rows a second materialized, ${count(bytes.at(-1))} bytes of Redis an entity`,
    );
  }
  if (sides.length < 2) return;
  console.log(`  materializing: ${judge(took[1] / took[0], 20, 'at least')}`);
  console.log(`  memory: ${judge(bytes[0] / bytes[1], 0.5, 'at most')}`);
}

/** Without the clients' buffers. */
async function memoryOf(redis) {
  const text = await redis.command('INFO', 'memory');
  const field = (name) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(text)?.[1]);
  return field('used_memory') - field('mem_clients_normal');
}

async function compareAnswers(ours, feast) {
  for (let start = 0; start < 2_000; start += 100) {
    // A key in a hundred is nobody's.
    const asked = { user_id: Array.from({ length: 100 }, (_, row) => (row === 99 ? entities + start : start + row)) };
    const answers = await Promise.all([ours, feast].map((side) => post(side.url, side.body(userFeatures, asked))));
    requireEqual(ours.table(answers[0]), feast.table(answers[1]), userFeatures);
  }
  console.log('  2,000 rows of 10 features are the same on both sides');
}

async function compareRates(sides, rows, scratch) {
  console.log(`\n${rows} rows a request, ${userFeatures.length} features in two views, 8 connections`);
  const figures = sides.map(() => []);
  for (let round = 0; round < rounds; round += 1) {
    for (const [at, side] of sides.entries()) {
      await waitForQuiet();
      const asked = { url: side.url, bodies: userBodies(side, rows), connections: 8, scratch };
      await load({ ...asked, seconds: 1 });
      figures[at].push(await load({ ...asked, seconds }));
    }
  }
  const medians = figures.map(middle);
  for (const [at, side] of sides.entries()) show(side.name, medians[at]);
  if (sides.length < 2) return;
  console.log(`  requests a second: ${judge(medians[0].rate / medians[1].rate, rateBars.get(rows), 'at least')}`);
  console.log(`  p99: ${judge(medians[0].p99 / medians[1].p99, 1, 'below')}`);
}

function userBodies(side, rows) {
  return Array.from({ length: 64 }, (_, body) => {
    const keys = Array.from({ length: rows }, (_, row) => ((body * rows + row) * 7_919) % entities);
    return side.body(userFeatures, { user_id: keys });
  });
}

function candidateBodies(side) {
  return Array.from({ length: 64 }, (_, body) => {
    const keys = Array.from({ length: candidates }, (_, row) => ((body * candidates + row) * 7_919) % items);
    return side.body([...userFeatures, ...featuresOf('item_stats')], { user_id: [body], item_id: keys });
  });
}

async function askForCandidates(ours, scratch) {
  console.log(`\none user, ${candidates} candidates, 15 features in three views`);
  for (const connections of [1, 8]) {
    await waitForQuiet();
    const asked = { url: ours.url, bodies: candidateBodies(ours), connections, scratch };
    await load({ ...asked, seconds: 1 });
    show(`${connections} connections`, await load({ ...asked, seconds }));
  }
}

/** The same reads, 8 connections that pause 20 ms between answer and request, alone and beside a stream. */
async function readWhileStreaming(ours, scratch) {
  console.log(`\n10 rows a request, 8 connections with pauses, beside a Flight stream of ${count(streamRows)} rows`);
  const asked = { url: ours.url, bodies: userBodies(ours, 10), connections: 8, pauseMs: 20, seconds: seconds * 2, scratch };
  await waitForQuiet();
  const alone = await load(asked);
  show('alone', alone);
  const stream = await startStream(ours.flight);
  await sleep(500);
  const beside = await load(asked);
  const told = await stream.stop();
  show('beside a stream', beside);
  console.log(`  the stream: ${told}`);
  console.log(`  p99: ${judge(beside.p99 / alone.p99, 2, 'at most')}`);
}

async function startStream(url) {
  const child = spawn(python, [join(benchFolder, 'online/stream_rows.py'), url, String(streamRows), String(entities)], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
  });
  let told = '';
  const closed = new Promise((resolve) => child.on('close', resolve));
  await new Promise((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      told += chunk;
      if (told.includes('ready')) resolve();
    });
    closed.then((status) => reject(new Error(`the stream ended with ${status}`)), reject);
  });
  return {
    async stop() {
      child.stdin.end();
      await closed;
      return told.replace('ready', '').trim();
    },
  };
}

function middle(figures) {
  const median = (name) => figures.map((figure) => figure[name]).sort((a, b) => a - b)[figures.length >> 1];
  return { rate: median('rate'), p50: median('p50'), p99: median('p99') };
}

function show(what, { rate, p50, p99 }) {
  console.log(`  ${what.padEnd(16)} ${count(rate)} requests a second, p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`);
}

function judge(value, bar, relation) {
  const shown = Number(value.toFixed(2));
  const isMet = relation === 'at least' ? shown >= bar : relation === 'below' ? shown < bar : shown <= bar;
  return `${shown} times; ${isMet ? 'met' : 'MISSED'}: the bar is ${relation} ${bar}`;
}

function count(value) {
  return Math.round(value).toLocaleString('en');
}
