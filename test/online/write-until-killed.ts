/**
 * Writes rows through the online writer until it is killed: `write-until-killed lmdb:DIRECTORY|redis://HOST:PORT FIRST`. Batch after
 * batch from number FIRST on; says the number of each batch that was acknowledged, one a line.
 */
import { writeSync } from 'node:fs';
import { writeShop } from '../support/online-shop.ts';
import { openKilledStore, rowsOfBatch } from './killed-rows.ts';

const [, , address, first] = process.argv as [string, string, string, string];

async function writeOn(): Promise<never> {
  const store = openKilledStore(address);
  for (let batch = Number(first); ; batch++) {
    await writeShop(store, 'profile', rowsOfBatch(batch));
    // At once, past the stream's own buffer: what is said was acknowledged before the process is killed.
    writeSync(1, `${batch}\n`);
  }
}

void writeOn();
