/** Rows that tell of which batch they are, for writers that are killed: what they write, and what must be there afterwards. */
import { statusNames } from '../../src/definitions/status.ts';
import { openLmdbStore } from '../../src/online/lmdb-store.ts';
import type { OnlineStore } from '../../src/online/store.ts';
import { serveShop } from '../support/online-shop.ts';
import { openTestRedis } from '../support/open-redis-store.ts';

export const users = 150;
const rowsOfOne = 40;
const lastsUs = 1_000_000_000n;

/** `lmdb:DIRECTORY` or `redis://HOST:PORT`. */
export function openKilledStore(address: string): OnlineStore {
  return address.startsWith('lmdb:') ? openLmdbStore(address.slice('lmdb:'.length)) : openTestRedis({ url: address });
}

function usersOf(batch: number): number[] {
  return Array.from({ length: rowsOfOne }, (_, row) => (batch * 29 + row) % users);
}

/** Each batch is newer than the one before it, and brings with each row one that is older than all, which must never win. */
export function rowsOfBatch(batch: number) {
  return usersOf(batch).flatMap((user) => [
    { keys: [BigInt(user)], values: [batch, batch / 2], agoUs: lastsUs - BigInt(batch) },
    { keys: [BigInt(user)], values: [-7, -7], agoUs: 2n * lastsUs },
  ]);
}

/** What is wrong with what the store serves after batches up to `acknowledged`, where the next one may be there in part. */
export async function auditRows(store: OnlineStore, acknowledged: number): Promise<string[]> {
  const least = new Array<number | undefined>(users);
  for (let batch = 0; batch <= acknowledged; batch++) for (const user of usersOf(batch)) least[user] = batch;
  const doubtful = new Set(usersOf(acknowledged + 1));
  const { online, facts } = serveShop(store);
  await facts.load();
  const answer = await online.get({
    features: ['profile:age', 'profile:score'],
    entities: { user_id: Array.from({ length: users }, (_, user) => BigInt(user)) },
  });
  facts.close();
  const [ages, scores] = answer.columns as [(typeof answer.columns)[number], (typeof answer.columns)[number]];
  return Array.from({ length: users }, (_, user) => {
    const [age, score, status] = [ages.values[user], scores.values[user], statusNames[ages.statuses[user] as number]];
    const served = status === 'PRESENT' ? (age as number) : undefined;
    const isWhole = served === undefined || score === served / 2;
    const isRight = served === least[user] || (doubtful.has(user) && served === acknowledged + 1);
    return isWhole && isRight
      ? ''
      : `user ${user} is served ${age}, ${score} (${status}) after batch ${least[user]} of ${acknowledged}`;
  }).filter((wrong) => wrong !== '');
}
