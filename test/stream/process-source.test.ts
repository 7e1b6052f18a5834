/** A stream from its records to what is served, killed anywhere: the online answer is the training answer at the same T (sections 6 and 9). */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { field } from '../../src/arrow/schema.ts';
import { parseConfig } from '../../src/config.ts';
import { statusNames } from '../../src/definitions/status.ts';
import {
  count,
  countDistinct,
  duration,
  entity,
  entropy,
  eventSource,
  first,
  last,
  lastN,
  max,
  mean,
  min,
  rate,
  stddev,
  streamFeatureView,
  sum,
  topK,
} from '../../src/index.ts';
import { silentLogger } from '../../src/observe.ts';
import type { History } from '../../src/offline/history.ts';
import { openLmdbStore } from '../../src/online/lmdb-store.ts';
import { createOnlineRecords } from '../../src/online/records.ts';
import { createOnlineFeatures } from '../../src/online/retrieve/retrieve.ts';
import type { OnlineStore } from '../../src/online/store.ts';
import { bindRepository } from '../../src/registry/bind.ts';
import type { RegistryDocument, SourceDocument } from '../../src/registry/document.ts';
import type { Definition } from '../../src/registry/repository.ts';
import { compileDecoder } from '../../src/stream/decode/compile-decoder.ts';
import { fillFeatures } from '../../src/stream/fill-features.ts';
import type { LogRecord } from '../../src/stream/log/log.ts';
import { createSourceProcessor } from '../../src/stream/process-source.ts';
import { openProgress } from '../../src/stream/progress.ts';
import { compileStreamSource } from '../../src/stream/stream-source.ts';
import { type Draw, drawFrom } from '../offline/draw-values.ts';
import { answerWithEngine, openTestHistory } from '../support/answer-with-engine.ts';
import { expectParity } from '../support/expect-parity.ts';

/** FEATHERFLIGHT_TEST_RUNS=500 for a long search. */
const numRuns = Number(process.env.FEATHERFLIGHT_TEST_RUNS ?? 40);
const seed = Number(process.env.FEATHERFLIGHT_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));

const startUs = 1_773_000_000_000_000n;
const secondUs = 1_000_000n;

const user = entity('user', { joinKeys: { user_id: 'int64' } });

function sourceOf(hasId: boolean, lateness: '1h' | '365d') {
  return eventSource('clicks', {
    eventTimestamp: 'at',
    lateness,
    // The least that there may be: some states stand beside their keys.
    maxStateBytes: 1024,
    ...(hasId ? { eventId: 'id' } : {}),
    columns: {
      id: 'string',
      user_id: 'int64',
      kind: { type: 'string', values: ['view', 'click', 'buy'] },
      n: 'int64',
      x: 'float64',
      price: 'decimal(10,2)',
      tag: 'string',
    },
  });
}

function definitionsOf(hasId: boolean, lateness: '1h' | '365d'): Definition[] {
  const clicks = sourceOf(hasId, lateness);
  const windows = streamFeatureView('windows', {
    entities: [user],
    source: clicks,
    delay: '5s',
    features: {
      clicks_1h: count({ where: `kind = 'click'`, window: '1h' }),
      total: sum('n', { window: 'lifetime' }),
      spent: sum('price', { where: `kind = 'buy'`, window: '1d' }),
      x_mean: mean('x', { window: '90s', hop: '10s' }),
      x_dev: stddev('x * 2', { window: '6h' }),
      x_min: min('x', { window: '1d' }),
      price_max: max('price', { window: 'lifetime' }),
      buy_rate: rate({ condition: `kind = 'buy'`, over: `kind in ('click', 'buy')`, window: '1d', default: 0.25 }),
      tags: countDistinct('tag', { window: '1d' }),
      top: topK('tag', { k: 2, window: '1d' }),
      spread: entropy('tag', { window: 'lifetime' }),
    },
  });
  const recent = streamFeatureView('recent', {
    entities: [user],
    source: clicks,
    features: {
      last_tags: lastN('tag', { n: 3, window: '1d' }),
      first_kind: first('kind', { where: 'n > 0', window: '1h' }),
      last_n: last('n', { window: '1h', default: -1n }),
    },
  });
  const session = streamFeatureView('session', {
    entities: [user],
    source: clicks,
    session: { gap: '5m' },
    features: { events: count(), clicks: count({ where: `kind = 'click'` }), seconds: duration(), tag: last('tag') },
  });
  return [user, clicks, windows, recent, session] as unknown as Definition[];
}

interface Event {
  readonly partition: number;
  readonly offset: bigint;
  readonly clockUs: bigint;
  readonly value: Buffer | null;
}

function drawEvents(from: Draw, hasId: boolean): Event[] {
  const partitions = from.int(1, 3);
  const offsets = new Array<bigint>(partitions).fill(0n);
  let clockUs = startUs;
  return Array.from({ length: from.int(1, 60) }, () => {
    clockUs += BigInt(from.int(0, 120_000_000));
    const age = BigInt(from.int(-50_000_000, from.pick([1_000_000, 200_000_000, 9_000_000_000])));
    const partition = from.int(0, partitions - 1);
    const offset = offsets[partition] as bigint;
    offsets[partition] = offset + BigInt(from.int(1, 2));
    const orNull = <T>(value: T) => (from.chance(10) ? null : value);
    // Events with one id are equal, so that it does not matter which of them counts.
    const id = hasId && from.chance(80) ? from.int(0, 40) : null;
    const event = {
      at: id === null ? Number(clockUs - age) : Number(startUs + BigInt(id) * secondUs),
      id: id === null ? null : `e${id}`,
      user_id: id === null ? orNull(from.int(1, 3)) : 1 + (id % 3),
      kind: id === null ? orNull(from.pick(['view', 'click', 'buy'])) : 'click',
      n: id === null ? orNull(from.pick([0, 1, 5, -3, '4611686018427387904'])) : id,
      x: id === null ? orNull(from.pick([0, 0.1, 1.5, -2.25, 1e16, 'NaN'])) : 0.5,
      price: id === null ? orNull(from.pick(['0.00', '19.99', '-5.50'])) : '1.00',
      tag: id === null ? orNull(from.pick(['', 'a', 'b', 'é'])) : 't',
    };
    const text = JSON.stringify(event);
    const broken = from.pick([text.slice(0, 20), text.replace('"kind":"', '"kind":"un'), '[]', '']);
    return { partition, offset, clockUs, value: from.chance(8) ? Buffer.from(broken) : Buffer.from(text) };
  });
}

/** Fails at a moment that it is told: before the store has done what is asked, or after. */
function faultyStore(store: OnlineStore) {
  let left = Number.POSITIVE_INFINITY;
  let afterwards = false;
  const guard = async <T>(work: () => Promise<T>): Promise<T> => {
    left -= 1;
    if (left > 0) return await work();
    if (left === 0 && afterwards) await work();
    throw new Error('killed');
  };
  const faulty: OnlineStore = {
    ...store,
    read: (keys, signal) => guard(() => store.read(keys, signal)),
    replace: (replacements, signal) => guard(() => store.replace(replacements, signal)),
  };
  return {
    store: faulty,
    failAfter(operations: number, isAfterwards: boolean) {
      left = operations;
      afterwards = isAfterwards;
    },
  };
}

let root: string;
let lmdb: OnlineStore;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'featherflight-stream-'));
  lmdb = openLmdbStore(join(root, 'online'));
});
afterAll(async () => {
  await lmdb?.close();
  rmSync(root, { recursive: true, force: true });
});

async function bind(history: History, directory: string, definitions: Definition[]): Promise<RegistryDocument> {
  const config = parseConfig({ project: 'test' }, directory);
  const bound = await bindRepository(
    { root: directory, config, definitions: definitions.map((definition) => ({ definition, file: 'a.ts' })) },
    history,
  );
  return { ...bound, version: 1, appliedAt: '2026-03-10T12:00:00Z' };
}

test(
  `6.1 to 6.8, 9: ${numRuns} random streams in any batches, killed anywhere, are served as they are trained on (seed ${seed})`,
  async () => {
    let run = 0;
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(fc.gen(), async (g) => {
        const from = drawFrom(g);
        const directory = join(root, `r${run++}`);
        const history = await openTestHistory(directory, { archiveDirectory: join(directory, 'archive') });
        try {
          compared += await compareOnce(from, history, directory, `p${run}`);
        } finally {
          await history.close();
        }
      }),
      { numRuns, seed, endOnFailure: process.env.FEATHERFLIGHT_TEST_SHRINK === undefined },
    );
    expect(compared).toBeGreaterThan(0);
  },
  60_000 + numRuns * 5_000,
);

async function compareOnce(from: Draw, history: History, directory: string, project: string): Promise<number> {
  const hasId = from.chance(40);
  const registry = await bind(history, directory, definitionsOf(hasId, '365d'));
  const events = drawEvents(from, hasId);
  const document = registry.sources[0] as SourceDocument;
  const source = compileStreamSource(document, registry);
  const { store, failAfter } = faultyStore(lmdb);
  let nowUs = startUs;
  const archive = history.archive as NonNullable<History['archive']>;
  const parts = { store, project, history: { ...history, archive }, logger: silentLogger, nowUs: () => nowUs };
  const signal = new AbortController().signal;
  const decode = compileDecoder(document, { format: 'json' });
  const start = () => createSourceProcessor(parts, source).reader(decode, 'earliest');
  const progress = openProgress(createOnlineRecords(lmdb, project), 'clicks');
  if (from.chance(50)) await fillFeatures(parts, source, { signal });

  const asleep: { reader: ReturnType<typeof start>; partition: string; records: LogRecord[]; end: bigint }[] = [];
  let reader = start();
  const opened = new Set<string>();
  const deliver = async (partition: number, clockUs: bigint) => {
    const name = String(partition);
    const log = events.filter((event) => event.partition === partition && event.clockUs <= clockUs);
    if (log.length === 0) return;
    const end = (log.at(-1) as Event).offset + 1n;
    for (let tries = 0; ; tries++) {
      if (from.chance(25)) failAfter(from.int(1, 25), from.chance(50));
      try {
        if (!opened.has(name)) {
          await reader.open(name, { first: 0n, end }, signal);
          opened.add(name);
        }
        const next = (await progress.read(name))?.next ?? 0n;
        const records = log.filter(({ offset }) => offset >= next);
        const some = from.chance(60) ? records : records.slice(0, from.int(1, Math.max(1, records.length)));
        if (some.length > 0) await reader.take(name, some, end, signal);
        asleep.push({ reader, partition: name, records: some, end });
        failAfter(Number.POSITIVE_INFINITY, false);
        if (((await progress.read(name))?.next ?? 0n) >= end) return;
      } catch (error) {
        // Killed: nothing but what the store and the disk have is left; or another process reads on.
        if (!String(error).includes('killed')) throw error;
        failAfter(Number.POSITIVE_INFINITY, false);
        if (from.chance(50)) asleep.push({ reader, partition: name, records: log, end });
        reader = start();
        opened.clear();
        if (from.chance(30)) nowUs += secondUs;
      }
      expect(tries).toBeLessThan(100);
    }
  };

  for (const clockUs of [...new Set(events.map((event) => event.clockUs))]) {
    nowUs = clockUs > nowUs ? clockUs : nowUs;
    if (from.chance(50)) continue;
    const partitions = [...new Set(events.map(({ partition }) => partition))];
    for (const partition of partitions) await deliver(partition, nowUs);
    // A process that had been given up wakes up with what it held.
    if (asleep.length > 0 && from.chance(30)) {
      const { reader: old, partition, records, end } = from.pick(asleep);
      await old.take(partition, records, end, signal).catch(() => {});
    }
  }
  for (const partition of new Set(events.map((event) => event.partition))) await deliver(partition, nowUs);
  await fillFeatures(parts, source, { signal, all: from.chance(30) });
  if (from.chance(50)) nowUs += BigInt(from.pick([1, 6_000_000, 61_000_000, 4_000_000_000]));
  return await compareAnswers(history, registry, project, nowUs);
}

async function compareAnswers(history: History, registry: RegistryDocument, project: string, nowUs: bigint): Promise<number> {
  const names = registry.views.flatMap(({ name, features }) =>
    features.map((feature) => ({ view: name, feature: feature.name })),
  );
  const keys = [1n, 2n, 3n, 4n];
  const online = await createOnlineFeatures({
    store: lmdb,
    project,
    registry: () => registry,
    facts: { fittedDefault: () => undefined, isMaterialized: () => true, isReady: () => true },
    nowUs: () => nowUs,
  }).get({
    features: names.map(({ view, feature }) => `${view}:${feature}`),
    entities: { user_id: keys },
    fullFeatureNames: true,
  });
  const offline = await answerWithEngine(history, registry, {
    views: [],
    frame: {
      rows: keys.length,
      batchRows: 10,
      columns: [
        { field: field('user_id', { id: 'int', bits: 64, signed: true }), values: keys },
        { field: field('event_timestamp', { id: 'timestamp', unit: 'us', timezone: 'UTC' }), values: keys.map(() => nowUs) },
      ],
    },
    features: names,
    statuses: true,
    fullFeatureNames: true,
  });
  let compared = 0;
  for (const [at, { view, feature }] of names.entries()) {
    const [values, statuses, eventUs, isDefault] = offline.columns.slice(4 * at, 4 * at + 4).map((column) => column.values);
    const column = online.columns[at];
    for (const [row, key] of keys.entries()) {
      const what = `${view}:${feature} of ${key} at ${nowUs}`;
      expect(
        {
          value: column?.values[row],
          status: statusNames[column?.statuses[row] as number],
          eventUs: column?.eventUs[row],
          isDefault: column?.isDefault[row] === 1,
        },
        what,
      ).toEqual({ value: values?.[row], status: statuses?.[row], eventUs: eventUs?.[row], isDefault: isDefault?.[row] });
      compared += 1;
    }
  }
  // The check of parity agrees, and calls what is edited a bug.
  await expectParity(history, online, Number(nowUs % 97n));
  return compared;
}
