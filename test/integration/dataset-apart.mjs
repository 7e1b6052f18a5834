/**
 * A process over a storage folder: `dataset-apart.mjs STORAGE read|delete|sweep`. It reads, deletes or sweeps the versions of `raced` over
 * and over, says on standard output what became of them, and ends when standard input does, or nothing is left.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { openDatasets } from '../../dist/dataset/datasets.js';
import { verifyDataset } from '../../dist/dataset/verify.js';

const [storage, role] = process.argv.slice(2);
const datasets = await openDatasets(storage);
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

const roles = {
  async read(version) {
    const dataset = await datasets.open(`raced@${version}`);
    try {
      await verifyDataset(dataset);
    } finally {
      dataset.release();
    }
    say({ read: version });
    // Somebody must find it unread now and then.
    await pause(Math.random() * 20);
  },
  async delete(version) {
    await datasets.remove(`raced@${version}`, { by: role, force: false });
    say({ deleted: version });
  },
  async sweep() {
    await datasets.sweep();
  },
};

for (;;) {
  const versions = (await datasets.list('raced')).map(({ version }) => version);
  if (versions.length === 0) break;
  for (const version of versions) {
    try {
      await roles[role](version);
    } catch (error) {
      if (error.code !== 'NOT_FOUND' && error.code !== 'FAILED_PRECONDITION') say({ failed: version, why: String(error) });
      else say({ refused: version, code: error.code });
    }
    await pause(1);
  }
}
