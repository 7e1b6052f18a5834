/**
 * A process of its own that pushes: `push-apart STORE DIRECTORY FIRST COUNT` appends the keys FIRST, FIRST + 1, …, COUNT of them or without
 * end, and says of each that is acknowledged its number and whether it was new, one a line.
 */
import { writeSync } from 'node:fs';
import { openPushes } from './open-pushes.ts';

const [, , address, directory, first, count] = process.argv as [string, string, string, string, string, string];

async function pushOn(): Promise<void> {
  const { log, close } = openPushes(address, directory);
  for (let number = Number(first); number < Number(first) + Number(count); number++) {
    const { isNew } = await log.append(`key ${number}`, Buffer.from(`payload ${number}`));
    // At once, past the stream's own buffer: what is said was acknowledged before the process is killed.
    writeSync(1, `${number} ${isNew}\n`);
  }
  await close();
}

void pushOn();
