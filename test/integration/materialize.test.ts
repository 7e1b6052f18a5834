/** Materialization by real processes into LMDB and a real Redis: killed at random instants, two at once, a Redis that dies meanwhile. */
import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseConfig, type RedisConfig } from '../../src/config.ts';
import type { ViewProgress } from '../../src/materialize/view-run.ts';
import { silentLogger } from '../../src/observe.ts';
import { compileLookup } from '../../src/online/encoding/lookup.ts';
import { openLmdbStore } from '../../src/online/lmdb-store.ts';
import { openRedisStore } from '../../src/online/redis/redis-store.ts';
import { createOnlineReader } from '../../src/online/retrieve/reader.ts';
import type { OnlineStore } from '../../src/online/store.ts';
import { compileOnlineView } from '../../src/online/view.ts';
import type { ViewDocument } from '../../src/registry/document.ts';
import { openShop, pricesOf, type Shop } from '../materialize/open-shop.ts';
import { type RedisServer, startRedis } from '../support/start-redis.ts';

const keys = 150_000;
const script = fileURLToPath(new URL('materialize-apart.mjs', import.meta.url));

interface Line {
  readonly progress?: ViewProgress;
  readonly report?: { readonly views: readonly ViewProgress[] };
  readonly error?: { readonly code: string; readonly message: string; readonly details: Readonly<Record<string, unknown>> };
}

/** A run in a process of its own; `lines` grows as it goes. */
function startRun(root: string, place: string) {
  const child: ChildProcess = spawn(process.execPath, [script, root, place], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: Line[] = [];
  let rest = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    const parts = (rest + chunk.toString()).split('\n');
    rest = parts.pop() as string;
    for (const part of parts) lines.push(JSON.parse(part));
  });
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  const first = new Promise<void>((resolve) => child.stdout?.once('data', () => resolve()));
  return { child, lines, ended, first };
}

/** Rows of which the run has said that they are in the store, and will not be sent again. */
function doneRows(lines: readonly Line[]): number {
  const { skipped = 0, written = 0, unchanged = 0 } = lines.findLast((line) => line.progress !== undefined)?.progress ?? {};
  return skipped + written + unchanged;
}

/** How many keys are not served as they should be. */
async function countWrong(store: OnlineStore, shop: Shop): Promise<number> {
  const view = shop.registry.views[0] as ViewDocument;
  const lookup = compileLookup(compileOnlineView(view, shop.registry), ['price', 'label']);
  const reader = createOnlineReader(store, 'shop');
  let wrong = 0;
  for (let from = 0; from < keys; from += 10_000) {
    const entities = Array.from({ length: 10_000 }, (_, at) => [BigInt(from + at)]);
    const { rows } = await reader.read([{ lookup, entities }], BigInt(Date.now()) * 1000n);
    for (const [at, row] of (rows[0] ?? []).entries()) if (row?.values[1] !== `item ${from + at} day 10`) wrong += 1;
  }
  return wrong;
}

let shop: Shop;
beforeEach(async () => {
  shop = await openShop();
  await shop.write('a.parquet', `${pricesOf(0, keys, 9)} union all ${pricesOf(0, keys, 10)}`);
  await shop.define();
  writeFileSync(join(shop.root, 'registry.json'), JSON.stringify(shop.registry));
});
afterEach(() => shop.close());

async function openRedis() {
  const server = await startRedis();
  const url = `redis://${server.address}`;
  const config = parseConfig({ project: 'shop', onlineStore: { kind: 'redis', url } }, shop.root).onlineStore as RedisConfig;
  return { server, url, open: () => openRedisStore(config, { project: 'shop', logger: silentLogger }) };
}

describe.each(['lmdb', 'redis'])('%s', (kind) => {
  let server: RedisServer | undefined;
  let place: string;
  let open: () => OnlineStore;
  beforeEach(async () => {
    if (kind === 'redis') {
      const redis = await openRedis();
      server = redis.server;
      place = redis.url;
      open = redis.open;
    } else {
      place = join(shop.root, 'store');
      open = () => openLmdbStore(place);
    }
  });
  afterEach(async () => {
    await server?.stop();
    server = undefined;
  });

  test('killed at random instants, it loses nothing, and what was done is not sent again', async () => {
    let most = 0;
    let kills = 0;
    for (; kills < 6 && most < keys; kills++) {
      const run = startRun(shop.root, place);
      await run.first;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 250));
      run.child.kill('SIGKILL');
      await run.ended;
      expect(doneRows(run.lines)).toBeLessThanOrEqual(keys);
      most = Math.max(most, doneRows(run.lines));
    }
    expect(most).toBeGreaterThan(0);
    const last = startRun(shop.root, place);
    await last.ended;
    const [view] = last.lines.at(-1)?.report?.views ?? [];
    expect(view).toMatchObject({ keys, rows: keys, scanned: 2 * keys });
    const { skipped, written, unchanged } = view as ViewProgress;
    expect(skipped).toBeGreaterThanOrEqual(most);
    expect(skipped + written + unchanged).toBe(keys);
    // Sent twice at most: what was written, and not yet recorded, when a process was killed.
    expect(unchanged).toBeLessThan(2 * 17_000);
    const store = open();
    expect(await countWrong(store, shop)).toBe(0);
    await store.close();
  });
});

test('of two processes one materializes, and the other is told', async () => {
  const { server, url, open } = await openRedis();
  try {
    const runs = [startRun(shop.root, url), startRun(shop.root, url)];
    await Promise.all(runs.map((run) => run.ended));
    const last = runs.map((run) => run.lines.at(-1));
    const reports = last.filter((line) => line?.report !== undefined);
    expect(reports.length).toBeGreaterThanOrEqual(1);
    for (const { error } of last.flatMap((line) => (line?.error === undefined ? [] : [line]))) {
      expect(error).toMatchObject({ code: 'ABORTED', details: { reason: 'busy', view: 'item_prices' } });
    }
    expect(reports.reduce((sum, line) => sum + (line?.report?.views[0]?.written ?? 0), 0)).toBe(keys);
    const store = open();
    expect(await countWrong(store, shop)).toBe(0);
    await store.close();
  } finally {
    await server.stop();
  }
});

test('a Redis that dies in the middle, and comes back empty, is filled by the next run', async () => {
  const { server, url, open } = await openRedis();
  try {
    const run = startRun(shop.root, url);
    await run.first;
    await server.kill();
    await server.restart();
    await run.ended;
    const again = startRun(shop.root, url);
    await again.ended;
    expect(again.lines.at(-1)?.report?.views[0]).toMatchObject({ keys });
    const store = open();
    expect(await countWrong(store, shop)).toBe(0);
    await store.close();
  } finally {
    await server.stop();
  }
});
