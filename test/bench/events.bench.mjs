/**
 * Events: what it costs to apply them beside parsing them and no more; how soon those of a topic are seen online; and reading thirty
 * windowed features beside thirty plain ones. BENCH_EVENTS, BENCH_RATE (events a second), BENCH_SECONDS: the sizes.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { createJiti } from 'jiti';
import { configFile, eventOf, featuresFile } from './events/definitions.mjs';
import { post, startRedis } from './online/servers.mjs';
import { load, runToEnd, waitForQuiet } from './support/load.mjs';
import { benchFolder, numbersFrom, prepareBenchPython, withScratch } from './support/prepare.mjs';

const support = (file) => createJiti(import.meta.url).import(`../support/${file}`);
const { applyRepository, startServer } = await support('start-server.ts');
const { startBroker, startProducer } = await support('start-broker.ts');

const [events] = numbersFrom('BENCH_EVENTS', [100_000]);
const [rate] = numbersFrom('BENCH_RATE', [5000]);
const [seconds] = numbersFrom('BENCH_SECONDS', [20]);
const python = await prepareBenchPython();
const readOnce = process.env.BENCH_ONLY;

await withScratch(async (scratch) => {
  const redis = await startRedis();
  try {
    if (readOnce === undefined || readOnce === 'apply') await compareApply(scratch, redis);
    if (readOnce === undefined || readOnce === 'fresh') await measureFreshness(scratch, redis);
    if (readOnce === undefined || readOnce === 'read') await compareReads(scratch, redis);
  } finally {
    await redis.stop();
  }
});

/** In a process of its own each: parsing alone, and everything, of the same records. */
async function compareApply(scratch, redis) {
  for (const [name, online] of [
    ['LMDB', undefined],
    ['Redis', `redis://${redis.address}/1`],
  ]) {
    const folder = await repository(join(scratch, `apply-${name}`), `apply${name.toLowerCase()}`, online, undefined);
    await waitForQuiet();
    const { status, stdout, stderr } = await runToEnd(
      process.execPath,
      [join(benchFolder, 'events/apply.mjs'), folder, events, 2000].map(String),
    );
    if (status !== 0) throw new Error(stderr);
    const { least, all } = JSON.parse(stdout.trim().split('\n').at(-1));
    const perCore = (used) => Math.round(events / used.cpuSeconds).toLocaleString('en');
    console.log(
      `  ${name}: ${perCore(all)} events per core second applied to 12 features and archived, ${perCore(least)} parsed and no more: ` +
        `${(all.cpuSeconds / least.cpuSeconds).toFixed(1)} times the processor time; ${Math.round(events / all.seconds).toLocaleString('en')} a second in all`,
    );
  }
}

async function measureFreshness(scratch, redis) {
  const broker = await startBroker('tansu');
  const producer = startProducer(broker.address);
  await producer.createTopic('clicks', 3);
  await producer.close();
  const folder = await repository(join(scratch, 'fresh'), 'fresh', `redis://${redis.address}/2`, broker.address);
  const server = await startServer(folder, { environment: { FEATHERFLIGHT_LOG_LEVEL: 'warn' } });
  try {
    const users = Array.from({ length: 20 }, (_, at) => 1_000_000 + at);
    const look = async () => {
      const request = { features: ['activity:newest'], entities: { user_id: users } };
      return (await post(`${server.http}/api/v1/online-features`, request)).columns.newest.values;
    };
    // A server that has read events before: joining a group takes this broker seconds, and compiling what is hot some more.
    await runToEnd(python, [join(benchFolder, 'events/produce.py'), broker.address, 1000, 5].map(String));
    while ((await look()).some((newest) => newest === null)) await sleep(100);
    await sleep(3000);
    await waitForQuiet();
    const sent = [];
    const child = spawn(python, [join(benchFolder, 'events/produce.py'), broker.address, rate, seconds, 1_000_000].map(String));
    let took;
    createInterface({ input: child.stdout }).on('line', (line) => {
      const told = JSON.parse(line);
      if (told.events === undefined) sent.push(told);
      else took = told;
    });
    const ended = new Promise((resolve) => child.on('close', resolve));
    const seen = new Map();
    let pending = true;
    void ended.then(async () => {
      await sleep(15_000);
      pending = false;
    });
    while (pending) {
      const found = await look();
      const nowMs = Date.now();
      for (const [at, user] of users.entries()) {
        const newest = Number(found[at] ?? -1);
        for (const one of sent)
          if (one.user === user && one.sequence <= newest && !seen.has(one)) seen.set(one, nowMs - one.sentMs);
      }
      if (took !== undefined && seen.size === sent.length) break;
      await sleep(20);
    }
    const waits = [...seen.values()].sort((a, b) => a - b);
    const at = (share) => Math.round(waits[Math.min(waits.length - 1, Math.floor(share * waits.length))] ?? Number.NaN);
    const within = waits.filter((ms) => ms <= 2000).length / sent.length;
    console.log(
      `  freshness at ${rate} events a second (${Math.round(took.events / took.seconds)} written): ${(100 * within).toFixed(1)} % of ${sent.length} probed events ` +
        `seen online within 2 s (bar 99 %, ${within >= 0.99 ? 'met' : 'MISSED'}); p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, last ${at(1)} ms`,
    );
  } finally {
    await server.stop();
    await broker.stop();
  }
}

/** Thirty features of each kind of the same users, of one entity a request. */
async function compareReads(scratch, redis) {
  const folder = join(scratch, 'read');
  mkdirSync(join(folder, 'features'), { recursive: true });
  mkdirSync(join(folder, 'data'));
  const users = 1000;
  const nowMs = Date.now();
  const past = Array.from({ length: users * 100 }, (_, index) =>
    JSON.stringify({ ...eventOf(index, users, nowMs - Math.floor(((users * 100 - index) / (users * 100)) * 6 * 86_400_000)) }),
  );
  writeFileSync(
    join(folder, 'data/clicks.json'),
    past.join('\n').replace(/"at":(\d+)/g, (_, at) => `"at":"${new Date(at / 1000).toISOString()}"`),
  );
  const plain = Array.from({ length: users }, (_, user) =>
    JSON.stringify({
      user_id: user,
      at: new Date(nowMs - 3_600_000).toISOString(),
      ...Object.fromEntries(Array.from({ length: 30 }, (_, f) => [`f${f}`, user / (f + 1) + 0.5])),
    }),
  );
  writeFileSync(join(folder, 'data/plain.json'), plain.join('\n'));
  writeFileSync(join(folder, 'featherflight.config.ts'), configFile('read', `redis://${redis.address}/3`));
  const windows = ['1h', '1d', '7d'];
  const functions = [
    "count({ where: \"event_type = 'click'\", window: 'W' })",
    "rate({ condition: \"event_type = 'completion'\", window: 'W' })",
    "sum('seconds', { window: 'W' })",
    "mean('seconds', { window: 'W' })",
    "max('seconds', { window: 'W' })",
    "min('seconds', { window: 'W' })",
    "topK('category', { k: 3, window: 'W' })",
    "lastN('item_id', { n: 5, window: 'W' })",
    "countDistinct('category', { window: 'W' })",
    "last('item_id', { window: 'W' })",
  ];
  const features = functions.flatMap((text, at) =>
    windows.map((window) => `    f${at}_${window}: ${text.replace("'W'", `'${window}'`)},`),
  );
  writeFileSync(
    join(folder, 'features/a.ts'),
    `import { entity, eventSource, batchSource, featureView, json, streamFeatureView, count, rate, sum, mean, max, min, topK, lastN, last, countDistinct } from 'featherflight';
export const user = entity('user', { joinKeys: { user_id: 'int64' } });
export const clicks = eventSource('clicks', { history: json('data/clicks.json', { columnTypes: { at: 'timestamp' } }), eventTimestamp: 'at', columns: { user_id: 'int64', item_id: 'int64', category: 'string', seconds: 'float64', event_type: 'string' } });
export const activity = streamFeatureView('activity', { entities: [user], source: clicks, features: {
${features.join('\n')}
} });
export const rows = batchSource('rows', { table: json('data/plain.json', { columnTypes: { at: 'timestamp' } }), eventTimestamp: 'at' });
export const plain = featureView('plain', { entities: [user], source: rows, features: { ${Array.from({ length: 30 }, (_, f) => `f${f}: { type: 'float64' }`).join(', ')} } });
`,
  );
  await applyRepository(folder);
  const server = await startServer(folder, { environment: { FEATHERFLIGHT_LOG_LEVEL: 'warn' } });
  try {
    await post(`${server.http}/api/v1/materialize`, { views: ['plain'] });
    const url = `${server.http}/api/v1/online-features`;
    const names = functions.flatMap((_, at) => windows.map((window) => `activity:f${at}_${window}`));
    const bodies = (list) => Array.from({ length: users }, (_, user) => ({ features: list, entities: { user_id: [user] } }));
    for (;;) {
      const { columns } = await post(url, bodies(names)[1]);
      if (columns.f0_7d.statuses[0] === 'PRESENT') break;
      await sleep(100);
    }
    const results = [];
    for (const [name, list] of [
      ['30 windowed features', names],
      ['30 plain features', Array.from({ length: 30 }, (_, f) => `plain:f${f}`)],
      ['30 windowed features, again', names],
    ]) {
      await waitForQuiet();
      const found = await load({ url, bodies: bodies(list), connections: 1, seconds: 5, scratch });
      results.push(found);
      console.log(
        `  ${name}: p50 ${found.p50.toFixed(2)} ms, p99 ${found.p99.toFixed(2)} ms, ${Math.round(found.rate)} requests a second`,
      );
    }
    const ratio = Math.min(results[0].p99, results[2].p99) / results[1].p99;
    console.log(`  windowed beside plain: p99 ${ratio.toFixed(2)} (bar at most 2, ${ratio <= 2 ? 'met' : 'MISSED'})`);
  } finally {
    await server.stop();
  }
}

async function repository(folder, project, online, stream) {
  mkdirSync(join(folder, 'features'), { recursive: true });
  writeFileSync(join(folder, 'featherflight.config.ts'), configFile(project, online));
  writeFileSync(join(folder, 'features/clicks.ts'), featuresFile(stream));
  await applyRepository(folder);
  return folder;
}
