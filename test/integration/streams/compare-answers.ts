/** The online answer of every key, held to the training answer at the same T and to the oracle over what was produced (design section 9). */
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import { FeatherflightClient } from '../../../src/client/index.ts';
import { computeNaively, type NaiveWindowCell } from '../../support/naive-windows.ts';
import type { PythonProcess } from '../../support/start-python.ts';
import type { ServerProcess } from '../../support/start-server.ts';
import { items, type JudgedEvent, lateItem, users } from './shop-events.ts';
import { itemKey, naiveEvent, type ShopFeature, shopFeatures, shopViews } from './shop-features.ts';

export interface Answers {
  readonly evaluatedAt: bigint;
  /** By `view__feature`, in the order of the keys. */
  readonly online: ReadonlyMap<string, readonly Cell[]>;
  readonly training: ReadonlyMap<string, readonly Cell[]>;
}

/** Integers and decimals as text. */
interface Cell {
  readonly value: unknown;
  readonly status: string;
  readonly eventUs: string | null;
  readonly isDefault: boolean;
}

type Keys = readonly (number | string)[];

/** Every key that has events, and one that never had any. */
export const allUsers: Keys = Array.from({ length: users + 2 }, (_, at) => at + 1);
export const allItems: Keys = [...Array.from({ length: items }, (_, at) => `item ${at}`), lateItem, 'never'];

function keysOf(view: string): Keys | undefined {
  const key = shopViews[view]?.key;
  return key === undefined ? undefined : key === 'user_id' ? allUsers : allItems;
}

/** Asks a server for all that it serves, and for the training answer at the T of the online one. */
export async function askBoth(
  server: ServerProcess,
  python: PythonProcess,
  features: readonly ShopFeature[] = shopFeatures,
): Promise<Answers[]> {
  const answers: Answers[] = [];
  for (const view of Object.keys(shopViews)) {
    const names = features.filter((one) => one.view === view).map(({ naive: { name } }) => `${view}:${name}`);
    if (names.length === 0) continue;
    const key = shopViews[view]?.key;
    const keys = key === undefined ? {} : { [key]: keysOf(view) as Keys };
    const { evaluatedAt, online } = await askOnline(server, names, keys);
    const call = [server.url, names, keys, String(evaluatedAt)];
    const table = (await python.run(`train(*json.loads(${JSON.stringify(JSON.stringify(call))}))`)) as Record<string, unknown[]>;
    answers.push({ evaluatedAt, online, training: trainingCells(table, [...online.keys()]) });
  }
  return answers;
}

export async function askOnline(
  server: ServerProcess,
  names: readonly string[],
  entities: Readonly<Record<string, Keys>>,
): Promise<Pick<Answers, 'evaluatedAt' | 'online'>> {
  const client = new FeatherflightClient({ url: server.http, timeoutMs: 20_000 });
  try {
    const { evaluatedAt, columns } = await client.getOnlineFeatures({ features: names, entities, fullFeatureNames: true });
    const online = Object.entries(columns).map(([name, { values, statuses, isDefault, eventTimestamps }]) => {
      const cells = values.map((value, at): Cell => {
        const eventUs = eventTimestamps[at] ?? null;
        return {
          value: plain(value),
          status: statuses[at] as string,
          eventUs: eventUs === null ? null : String(eventUs),
          isDefault: isDefault[at] as boolean,
        };
      });
      return [name, cells] as const;
    });
    return { evaluatedAt, online: new Map(online) };
  } finally {
    await client.close();
  }
}

function trainingCells(table: Record<string, unknown[]>, names: readonly string[]): Answers['training'] {
  return new Map(
    names.map((name) => {
      const [values, statuses, times, defaults] = ['', '__status', '__event_timestamp', '__is_default'].map(
        (suffix) => table[name + suffix] as unknown[],
      ) as [unknown[], string[], (string | null)[], boolean[]];
      const cells = values.map((value, at): Cell => {
        return { value, status: statuses[at] as string, eventUs: times[at] as string | null, isDefault: defaults[at] as boolean };
      });
      return [name, cells];
    }),
  );
}

/** How many cells were held to the oracle, and how many of them differ in training, as late events are told apart. */
export interface Compared {
  readonly cells: number;
  readonly present: number;
  readonly late: number;
}

/** Fails on the first differences, with what stands on all three sides. */
export function compareAnswers(answers: readonly Answers[], events: readonly JudgedEvent[], when: string): Compared {
  const differences: unknown[] = [];
  let [cells, present, late] = [0, 0, 0];
  for (const { evaluatedAt, online, training } of answers) {
    for (const [column, served] of online) {
      const [view, name] = column.split('__') as [string, string];
      const { naive } = shopFeatures.find((one) => one.view === view && one.naive.name === name) as ShopFeature;
      const setting = shopViews[view] as (typeof shopViews)[string];
      const byKey = groupByKey(events, view);
      const keys = keysOf(view)?.map((key) => (typeof key === 'number' ? BigInt(key) : itemKey(key))) ?? [0n];
      expect(served.length, column).toBe(keys.length);
      for (const [at, key] of keys.entries()) {
        const own = byKey.get(key) ?? [];
        const cellOf = (some: readonly JudgedEvent[]) =>
          computeNaively(
            setting.naive,
            naive,
            some.map((event) => naiveEvent(event, view)),
            key,
            evaluatedAt,
          );
        const expectedServed = cellOf(own.filter(({ isLate }) => !isLate));
        const expectedTrained = own.some(({ isLate }) => isLate) ? cellOf(own) : expectedServed;
        const [is, was] = [served[at] as Cell, training.get(column)?.[at] as Cell];
        cells += 1;
        present += is.status === 'PRESENT' ? 1 : 0;
        const isApart = !isDeepStrictEqual(shown(expectedServed), shown(expectedTrained));
        late += isApart ? 1 : 0;
        const agree = isApart || isDeepStrictEqual(is, was);
        if (agree && isNear(is, expectedServed) && isNear(was, expectedTrained)) continue;
        const all = { online: is, training: was, oracle: shown(expectedServed), withLate: shown(expectedTrained) };
        differences.push({ column, key: String(keysOf(view)?.[at]), evaluatedAt: String(evaluatedAt), ...all });
      }
    }
  }
  expect(differences.slice(0, 8), `${differences.length} of ${cells} cells differ ${when}`).toEqual([]);
  return { cells, present, late };
}

function groupByKey(events: readonly JudgedEvent[], view: string): Map<bigint, JudgedEvent[]> {
  const groups = new Map<bigint, JudgedEvent[]>();
  for (const event of events) {
    const { key } = naiveEvent(event, view);
    if (key === null) continue;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [event]);
    else group.push(event);
  }
  return groups;
}

function isNear(is: Cell, { value, tolerance, status, eventUs, isDefault }: NaiveWindowCell): boolean {
  if (is.status !== status || is.isDefault !== isDefault || is.eventUs !== (eventUs === null ? null : String(eventUs)))
    return false;
  if (typeof is.value === 'number' && typeof value === 'number') return Math.abs(is.value - value) <= tolerance;
  return isDeepStrictEqual(is.value, plain(value));
}

function shown({ value, status, eventUs, isDefault }: NaiveWindowCell): Cell {
  return { value: plain(value), status, eventUs: eventUs === null ? null : String(eventUs), isDefault };
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  return Array.isArray(value) ? value.map(plain) : value;
}
