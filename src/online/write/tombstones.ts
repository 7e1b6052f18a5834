/**
 * Tombstones of entities that a key contains (rule 8.4): what stands at a pair of user and item is erased where the user is. Compare-and-set
 * sees only the tombstone in the value itself, so that others are looked for before a key is written, and once more afterwards.
 */
import type { LiteralValue } from '../../definitions/literal.ts';
import { asBuffer } from '../encoding/bytes.ts';
import { encodeEntityKeys } from '../encoding/keys.ts';
import type { OnlineStore } from '../store.ts';
import type { OnlineEntity } from '../view.ts';
import { changeValues, isErased, keepTombstone, type OnlineScope } from './erase.ts';

export interface WrittenKey {
  readonly key: Buffer;
  /** Where tombstones of entities would be that the key's entity contains. */
  readonly tombstones: readonly Buffer[];
}

export interface FoundValues {
  /** What stands at the keys. */
  readonly values: readonly (Buffer | undefined)[];
  /** Of each key whether it or an entity that it contains is erased. */
  readonly erased: readonly boolean[];
}

/** For each list of join keys' values, none null, where tombstones of the entities among them would be. */
export function tombstonesWithin(
  project: string,
  entities: readonly OnlineEntity[],
  keys: readonly (readonly LiteralValue[])[],
): (readonly Buffer[])[] {
  const byEntity = entities.map(({ joinKeys, positions }) =>
    encodeEntityKeys(
      project,
      joinKeys,
      keys.map((values) => positions.map((position) => values[position] as LiteralValue)),
    ),
  );
  return keys.map((_, at) => byEntity.map((all) => all[at] as Buffer));
}

/** Reads what stands at keys together with their tombstones. */
export async function readWithTombstones(
  store: OnlineStore,
  keys: readonly WrittenKey[],
  signal?: AbortSignal,
): Promise<FoundValues> {
  const all = [...keys.map(({ key }) => key), ...keys.flatMap(({ tombstones }) => tombstones)];
  const found = all.length === 0 ? [] : await store.read(all, signal);
  const values = found.slice(0, keys.length).map((value) => (value === undefined ? undefined : asBuffer(value)));
  let at = keys.length;
  const erased = keys.map(({ tombstones }, own) => {
    let isBuried = isErased(values[own]);
    for (const _ of tombstones) if (isErased(found[at++])) isBuried = true;
    return isBuried;
  });
  return { values, erased };
}

/** Removes what was written at keys whose entities were erased meanwhile, and gives those keys. */
export async function eraseAgain<T extends WrittenKey>(
  scope: OnlineScope,
  written: readonly T[],
  signal?: AbortSignal,
): Promise<readonly T[]> {
  const concerned = written.filter(({ tombstones }) => tombstones.length > 0);
  if (concerned.length === 0) return [];
  const found = await scope.store.read(
    concerned.flatMap(({ tombstones }) => tombstones),
    signal,
  );
  let at = 0;
  const erased = concerned.filter(({ tombstones }) => {
    const own = found.slice(at, at + tombstones.length);
    at += own.length;
    return own.some(isErased);
  });
  await changeValues(
    scope,
    erased.map(({ key }) => key),
    keepTombstone,
    () => {},
    signal,
  );
  return erased;
}
