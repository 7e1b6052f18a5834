/**
 * Materializes in a process of its own, which may be killed: `materialize-apart.mjs ROOT STORE`, STORE a directory for LMDB or a URL of
 * Redis. Definitions are read from ROOT/registry.json; each piece of progress, and the report, is a line of JSON.
 */
import { readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createJiti } from 'jiti';

const [, , root, place] = process.argv;
const jiti = createJiti(import.meta.url, {
  fsCache: false,
  nativeModules: ['lmdb', '@duckdb/node-api', '@duckdb/node-bindings'],
});
const load = (path) => jiti.import(`../../src/${path}`);
const { openHistory } = await load('offline/history.ts');
const { createMaterialize } = await load('materialize/materialize.ts');
const { silentLogger } = await load('observe.ts');
const registry = JSON.parse(readFileSync(join(root, 'registry.json'), 'utf8'));
const history = await openHistory({
  root,
  directory: join(root, '.projections'),
  archiveDirectory: join(root, 'archive'),
  engine: { threads: 2, memory: '500MB', spillDirectory: join(root, `.spill-${process.pid}`), spillLimit: '5GB' },
  cacheBytes: 64 * 1024 * 1024,
  logger: silentLogger,
});
const store = place.startsWith('redis:')
  ? (await load('online/redis/redis-store.ts')).openRedisStore(
      (await load('config.ts')).parseConfig({ project: registry.project, onlineStore: { kind: 'redis', url: place } }, root)
        .onlineStore,
      { project: registry.project, logger: silentLogger },
    )
  : (await load('online/lmdb-store.ts')).openLmdbStore(place);
const say = (line) =>
  writeSync(1, `${JSON.stringify(line, (_, value) => (typeof value === 'bigint' ? String(value) : value))}\n`);
try {
  const materialize = createMaterialize({ history, store, registry: () => registry, logger: silentLogger });
  const report = await materialize({}, { onProgress: (progress) => say({ progress }) });
  say({ report, rss: process.resourceUsage().maxRSS });
} catch (error) {
  say({ error: { code: error.code, message: error.message, details: error.details } });
}
await store.close();
await history.close();
