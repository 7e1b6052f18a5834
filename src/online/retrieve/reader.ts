/** Reads the rows that are visible at an instant: every key once, everything in one round trip. */
import type { LiteralValue } from '../../definitions/literal.ts';
import { asBuffer, type Cursor } from '../encoding/bytes.ts';
import { encodeEntityKeys } from '../encoding/keys.ts';
import { addDecoder, type OnlineLookup, type StoredValue } from '../encoding/lookup.ts';
import { nextSpan, startOfRows, tombstoneId } from '../encoding/row-codec.ts';
import { readTimes } from '../encoding/row-head.ts';
import { createOnlineSchemas, type OnlineSchemas } from '../encoding/schemas.ts';
import type { OnlineStore } from '../store.ts';
import { visibleFromUs } from '../view.ts';

export interface WantedRows {
  readonly lookup: OnlineLookup;
  /** For each entity its values in the order of the view's join keys; with a null among them no row is found (rule 2.3). */
  readonly entities: readonly (readonly LiteralValue[])[];
}

export interface ReadRow {
  readonly eventUs: bigint;
  /** Older than the ttl: its values are not to be served (rule 8.2). */
  readonly isTooOld: boolean;
  /** In the order of the lookup's features; undefined is NOT_FOUND: written under another definition. */
  readonly values: readonly StoredValue[];
}

export interface ReadAnswer {
  /** For each of the wanted and each of its entities the greatest row that is visible; undefined is NOT_FOUND. */
  readonly rows: readonly (readonly (ReadRow | undefined)[])[];
  /** Distinct keys read, and how many of them the store has. */
  readonly keys: number;
  readonly hits: number;
}

export interface OnlineReader {
  read(wanted: readonly WantedRows[], atUs: bigint, signal?: AbortSignal): Promise<ReadAnswer>;
}

export function createOnlineReader(store: OnlineStore, project: string): OnlineReader {
  const schemas = createOnlineSchemas(store, project);
  return {
    read: async (wanted, atUs, signal) => {
      const { keys, places } = placeKeys(project, wanted);
      const values = keys.length === 0 ? [] : (await store.read(keys, signal)).map((value) => value && asBuffer(value));
      const missing = new Set<number>();
      let rows = readAll(wanted, places, values, atUs, missing);
      if (missing.size > 0) {
        await schemas.load(missing, signal);
        if (addDecoders(wanted, schemas, missing)) rows = readAll(wanted, places, values, atUs, missing);
      }
      return { rows, keys: keys.length, hits: values.reduce((hits, value) => hits + (value === undefined ? 0 : 1), 0) };
    },
  };
}

interface Places {
  readonly keys: Buffer[];
  /** For each of the wanted and each of its entities the place of its key, -1 for none. */
  readonly places: readonly Int32Array[];
}

/** Equal keys have one place, whichever views want them. */
function placeKeys(project: string, wanted: readonly WantedRows[]): Places {
  const keys: Buffer[] = [];
  const known = new Map<string, number>();
  const places = wanted.map(({ lookup, entities }) => {
    const encoded = encodeEntityKeys(project, lookup.view.joinKeys, entities);
    return Int32Array.from(encoded, (key) => {
      if (key === undefined) return -1;
      const text = key.toString('latin1');
      let place = known.get(text);
      if (place === undefined) {
        place = keys.push(key) - 1;
        known.set(text, place);
      }
      return place;
    });
  });
  return { keys, places };
}

function readAll(
  wanted: readonly WantedRows[],
  places: readonly Int32Array[],
  values: readonly (Buffer | undefined)[],
  atUs: bigint,
  missing: Set<number>,
): (ReadRow | undefined)[][] {
  return wanted.map(({ lookup }, at) => {
    const read = new Map<number, ReadRow | undefined>();
    const rows: (ReadRow | undefined)[] = [];
    for (const place of places[at] as Int32Array) {
      const value = place < 0 ? undefined : values[place];
      if (value === undefined) rows.push(undefined);
      else {
        if (!read.has(place)) read.set(place, readVisible(lookup, value, atUs, missing));
        rows.push(read.get(place));
      }
    }
    return rows;
  });
}

/** A view's rows stand from the greatest to the least, so that the first visible one is the winner. */
function readVisible(lookup: OnlineLookup, value: Buffer, atUs: bigint, missing: Set<number>): ReadRow | undefined {
  const { decoders, view } = lookup;
  for (let at = startOfRows(value); at < value.length; ) {
    const span = nextSpan(value, at);
    at = span.end;
    const decode = decoders.get(span.schemaId);
    if (decode === undefined) {
      if (span.schemaId !== tombstoneId && !decoders.has(span.schemaId)) missing.add(span.schemaId);
      continue;
    }
    const cursor: Cursor = { buffer: value, at: span.body, end: span.end };
    const times = readTimes(cursor);
    const from = visibleFromUs(view.visibility, times);
    if (from === undefined || from > atUs) continue;
    const isTooOld = view.ttlUs > 0n && times.eventUs < atUs - view.ttlUs;
    return { eventUs: times.eventUs, isTooOld, values: decode(cursor, times.hasNulls) };
  }
  return undefined;
}

/** Whether any of the schemas is known now. */
function addDecoders(wanted: readonly WantedRows[], schemas: OnlineSchemas, ids: Iterable<number>): boolean {
  let any = false;
  for (const id of ids) {
    const schema = schemas.get(id);
    if (schema === undefined) continue;
    any = true;
    for (const { lookup } of wanted) if (!lookup.decoders.has(id)) addDecoder(lookup, id, schema);
  }
  return any;
}
