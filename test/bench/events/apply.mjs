/**
 * What one process does with events of a log, in processor seconds: parse them and no more, or all: archive, apply to the states of keys,
 * commit. `node apply.mjs FOLDER EVENTS BATCH [REDIS]` prints a line of JSON. No broker: what it costs to consume is the same on both sides.
 */
import { join } from 'node:path';
import { silentLogger } from '../../../dist/observe.js';
import { openHistory } from '../../../dist/offline/history.js';
import { openOnlineStore } from '../../../dist/online/open-store.js';
import { loadRepository } from '../../../dist/registry/load.js';
import { openState } from '../../../dist/registry/state.js';
import { compileDecoder } from '../../../dist/stream/decode/compile-decoder.js';
import { fillFeatures } from '../../../dist/stream/fill-features.js';
import { createSourceProcessor } from '../../../dist/stream/process-source.js';
import { compileStreamSource } from '../../../dist/stream/stream-source.js';
import { eventOf } from './definitions.mjs';

const [root, eventsText, batchText] = process.argv.slice(2);
const events = Number(eventsText);
const batch = Number(batchText);
const { config } = await loadRepository(root, process.env);
const state = await openState(config.state, { purpose: 'benchmark' });
const registry = state.readDocument();
const document = registry.sources[0];
const store = openOnlineStore(config, silentLogger);
const history = await openHistory({
  root,
  directory: join(root, 'projections'),
  archiveDirectory: join(root, 'archive'),
  engine: { threads: 1, memory: '1GB', spillDirectory: join(root, 'spill'), spillLimit: '1GB' },
  cacheBytes: 1e8,
  logger: silentLogger,
});
const parts = { store, project: config.project, history, logger: silentLogger, nowUs: () => BigInt(Date.now()) * 1000n };
const source = compileStreamSource(document, registry);
const { signal } = new AbortController();
await fillFeatures(parts, source, { signal });

const startMs = Date.now() - events;
const records = Array.from({ length: events }, (_, index) => ({
  offset: BigInt(index),
  value: Buffer.from(JSON.stringify(eventOf(index, 10_000, startMs + index))),
}));
const batches = Array.from({ length: Math.ceil(events / batch) }, (_, at) => records.slice(at * batch, (at + 1) * batch));
const processor = (work) => async () => {
  const before = process.cpuUsage();
  const start = performance.now();
  await work();
  const { user, system } = process.cpuUsage(before);
  return { cpuSeconds: (user + system) / 1e6, seconds: (performance.now() - start) / 1000 };
};
let parsed = 0;
const parse = processor(async () => {
  for (const some of batches) for (const { value } of some) parsed += JSON.parse(value.toString()).user_id === undefined ? 0 : 1;
});
const decode = compileDecoder(document, { format: 'json' });
const reader = createSourceProcessor(parts, source).reader(decode, 'earliest');
const apply = processor(async () => {
  await reader.open('0', { first: 0n, end: BigInt(events) }, signal);
  for (const some of batches) await reader.take('0', some, BigInt(events), signal);
});
await parse();
const least = await parse();
const all = await apply();
if (parsed !== 2 * events) throw new Error(`${parsed} events were parsed`);
console.log(JSON.stringify({ least, all }));
await history.close();
await store.close();
await state.close();
