/** A process that holds a state until it is stopped: `hold-state.mjs DIRECTORY ADDRESS`; says `held`, or the code of its refusal. */
import { createJiti } from 'jiti';

const [, , directory, address] = process.argv;
const jiti = createJiti(import.meta.url, { fsCache: false, nativeModules: ['lmdb'] });
const { openState } = await jiti.import('../../src/registry/state.ts');
try {
  await openState(directory, { purpose: 'serve', address });
  process.stdout.write('held\n');
  setInterval(() => {}, 1000);
} catch (error) {
  process.stdout.write(`${error.code}\n`);
}
