/**
 * Counts keys up in an LMDB store, as a process or a thread: `count-in-lmdb.mjs DIRECTORY TIMES NAME…`; says the counts of all names,
 * one line each time that all were acknowledged.
 */
import { writeSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { createJiti } from 'jiti';

const [, , directory, times, ...names] = process.argv;
const jiti = createJiti(import.meta.url, { fsCache: false, nativeModules: ['lmdb'] });
const { openLmdbStore } = await jiti.import('../../src/online/lmdb-store.ts');
const store = openLmdbStore(directory);
const keys = names.map((name) => Buffer.from(name));
const left = names.map(() => Number(times));
while (left.some((count) => count > 0)) {
  const open = keys.filter((_, at) => left[at] > 0);
  const values = await store.read(open);
  const counted = values.map((value) => String(Number(value === undefined ? 0 : Buffer.from(value).toString()) + 1));
  const lost = await store.replace(open.map((key, at) => ({ key, expected: values[at], value: Buffer.from(counted[at]) })));
  for (const [at, key] of open.entries()) if (!lost.includes(at)) left[keys.indexOf(key)] -= 1;
  // At once, past the stream's own buffer: what is said was acknowledged before the process is killed.
  if (lost.length === 0 && isMainThread) writeSync(1, `${counted.join(' ')}\n`);
}
await store.close();
