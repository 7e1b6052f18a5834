/** Erases everybody up to a number in a process of its own, which may be killed: says a word when it begins. */
import { writeSync } from 'node:fs';
import { createJiti } from 'jiti';

const [, , directory, last] = process.argv;
const jiti = createJiti(import.meta.url, { fsCache: false, nativeModules: ['@duckdb/node-api', '@duckdb/node-bindings'] });
const { openArchive } = await jiti.import('../../../src/offline/archive/archive.ts');
const { silentLogger } = await jiti.import('../../../src/observe.ts');
const erased = Array.from({ length: Number(last) + 1 }, (_, who) => [
  { column: 'who', value: { kind: 'integer', value: BigInt(who) } },
]);
const archive = openArchive({ directory, logger: silentLogger, readErased: async () => erased });
writeSync(1, 'begins\n');
await archive.erase('things');
