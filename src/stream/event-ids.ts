/** Events with equal ids are one event (rule 6.1): an id belongs to the event that came first, told by its place in its log. */
import { createHash } from 'node:crypto';
import type { LiteralValue } from '../definitions/literal.ts';
import { asBuffer } from '../online/encoding/bytes.ts';
import { encodeRecordKey } from '../online/encoding/keys.ts';
import { createOnlineRecords } from '../online/records.ts';
import type { OnlineStore } from '../online/store.ts';

export interface EventIds {
  /**
   * Claims the ids of events, in their order; gives the places of those that belong to others. Claiming again gives the same answer as
   * long as they are not forgotten.
   */
  claim(partition: string, events: ClaimedIds, signal?: AbortSignal): Promise<Set<number>>;
  /** Forgets ids of events before an instant, or all; gives how many. */
  forget(beforeUs: bigint | undefined, signal?: AbortSignal): Promise<number>;
  /** An event before this may repeat one whose id is forgotten; asked for after claiming. undefined where none is. */
  forgottenUs(signal?: AbortSignal): Promise<bigint | undefined>;
}

export interface ClaimedIds {
  /** null for none. */
  readonly ids: readonly LiteralValue[];
  readonly offsets: readonly bigint[];
  readonly timesUs: readonly bigint[];
}

/**
 * Partition and offset of the event that an id belongs to, and its time in microseconds since the epoch. A number is of an earlier version:
 * when it was claimed, in milliseconds.
 */
type Owner = readonly [partition: string, offset: string, timeUs: string | number];

const kind = 'event-id';
const kindOfForgotten = 'forgotten-ids';

export function openEventIds(store: OnlineStore, project: string, source: string): EventIds {
  const records = createOnlineRecords(store, project);
  return {
    async claim(partition, { ids, offsets, timesUs }, signal) {
      const repeated = new Set<number>();
      const places = new Map<string, number>();
      for (const [at, id] of ids.entries()) {
        if (id === null) continue;
        const name = nameOf(id);
        if (places.has(name)) repeated.add(at);
        else places.set(name, at);
      }
      const names = [...places.keys()];
      if (names.length === 0) return repeated;
      const keys = names.map((name) => encodeRecordKey(project, kind, `${source}/${name}`));
      const owners = names.map((name): Owner => {
        const at = places.get(name) as number;
        return [partition, String(offsets[at]), String(timesUs[at])];
      });
      // Whoever comes second finds who was first, and never takes its place.
      const found = await store.read(keys, signal);
      const free = [...found.keys()].filter((at) => found[at] === undefined);
      const lost = free.length === 0 ? [] : await store.replace(free.map(replacement), signal);
      const again = lost.map((at) => free[at] as number);
      const later =
        again.length === 0
          ? []
          : await store.read(
              again.map((at) => keys[at] as Buffer),
              signal,
            );
      for (const [at, value] of later.entries()) found[again[at] as number] = value;
      for (const [at, name] of names.entries()) {
        const owner = found[at];
        if (owner !== undefined && !isSame(JSON.parse(asBuffer(owner).toString()), owners[at] as Owner))
          repeated.add(places.get(name) as number);
      }
      return repeated;

      function replacement(at: number) {
        return { key: keys[at] as Buffer, expected: undefined, value: Buffer.from(JSON.stringify(owners[at])) };
      }
    },
    async forget(beforeUs, signal) {
      let forgotten = 0;
      // Told before it is done: who claims an id that is gone already is told so.
      const tell = (current: { readonly beforeUs: string } | undefined) =>
        beforeUs === undefined || (current !== undefined && BigInt(current.beforeUs) >= beforeUs)
          ? current
          : { beforeUs: String(beforeUs) };
      await records.update<{ readonly beforeUs: string }>(kindOfForgotten, source, tell, signal);
      const prefix = encodeRecordKey(project, kind, `${source}/`);
      for await (const keys of store.scan(prefix, signal)) {
        const values = await store.read(keys, signal);
        const old = [...keys.keys()].filter((at) => {
          const value = values[at];
          return value !== undefined && (beforeUs === undefined || timeUsOf(JSON.parse(asBuffer(value).toString())) < beforeUs);
        });
        const removals = old.map((at) => ({ key: keys[at] as Uint8Array, expected: values[at], value: undefined }));
        const lost = removals.length === 0 ? [] : await store.replace(removals, signal);
        forgotten += removals.length - lost.length;
      }
      return forgotten;
    },
    async forgottenUs(signal) {
      const told = (await records.read(kindOfForgotten, source, signal)) as { readonly beforeUs: string } | undefined;
      return told === undefined ? undefined : BigInt(told.beforeUs);
    },
  };
}

function timeUsOf([, , timeUs]: Owner): bigint {
  return typeof timeUs === 'number' ? BigInt(timeUs) * 1000n : BigInt(timeUs);
}

function isSame([partition, offset]: Owner, other: Owner): boolean {
  return partition === other[0] && offset === other[1];
}

/** Equal for equal ids of one type, and short enough for a key. */
function nameOf(id: Exclude<LiteralValue, null>): string {
  const text = id instanceof Uint8Array ? Buffer.from(id).toString('base64url') : String(id);
  return text.length <= 64 ? text : `#${createHash('sha256').update(text).digest('base64url')}`;
}
