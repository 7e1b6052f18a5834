/** A last event of every log, by which one sees that all before it is applied. */
import type { ServerProcess } from '../../support/start-server.ts';
import { askOnline } from './compare-answers.ts';
import { type Production, partitions } from './produce.ts';
import { type EventDrawer, instantText, nowUs, type ShopEvent } from './shop-events.ts';

const logs = (round: string) => [...Array.from({ length: partitions }, (_, at) => `end of ${at}${round}`), `end of push${round}`];

/** Counts of no key that is compared. */
export function endOf(draw: EventDrawer, item: string): ShopEvent {
  const at = instantText(nowUs() - 1_000_000n);
  return { ...draw.event(nowUs()), id: null, user_id: null, item_id: item, kind: null, at };
}

/** After each other in one test with other words for the round. */
export async function writeEnds(production: Production, draw: EventDrawer, round = ''): Promise<void> {
  const ends = logs(round).map((item) => endOf(draw, item));
  for (const [partition, end] of ends.slice(0, partitions).entries()) await production.send(partition, [JSON.stringify(end)]);
  await production.push(ends.slice(partitions));
}

/** `'1'` for each that is applied. */
export async function readEnds(server: ServerProcess, round = ''): Promise<readonly unknown[]> {
  const { online } = await askOnline(server, ['item_activity:events'], { item_id: logs(round) });
  return (online.get('item_activity__events') ?? []).map(({ value }) => value);
}

export const allEnded: readonly unknown[] = Array.from({ length: partitions + 1 }, () => '1');
