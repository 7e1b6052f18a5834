/** Reads the rows that are visible at an instant: every key once, everything in one round trip. */
import type { LiteralValue } from '../../definitions/literal.ts';
import type { Cursor } from '../encoding/bytes.ts';
import { encodeEntityKeys } from '../encoding/keys.ts';
import { addDecoder, type OnlineLookup, type StoredValue } from '../encoding/lookup.ts';
import { isSchemaId, nextSpan, startOfRows } from '../encoding/row-codec.ts';
import { readTimes } from '../encoding/row-head.ts';
import { createOnlineSchemas, type OnlineSchemas } from '../encoding/schemas.ts';
import type { OnlineStore } from '../store.ts';
import { visibleFromUs } from '../view.ts';
import { addCohort, readWindowRow, type WindowLookup } from '../windows/window-lookup.ts';
import type { WindowFeature } from '../windows/window-view.ts';
import { readSided, type SidedValues } from './sided-values.ts';

export interface WantedRows {
  readonly lookup: OnlineLookup | WindowLookup;
  /** For each entity its values in the order of the view's join keys; with a null among them no row is found (rule 2.3). */
  readonly entities: readonly (readonly LiteralValue[])[];
}

export interface ReadRow {
  /** null of windows. */
  readonly eventUs: bigint | null;
  /** Of windows, where each feature has a time of its own. */
  readonly eventsUs?: readonly (bigint | null)[];
  /** Of windows, the places of values that are null for being outside their type. */
  readonly outOfRange?: readonly number[] | undefined;
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

/**
 * `isReady` says of a feature of a stream view whether its states hold all of history, `isSpilled` whether any state of a view stands beside
 * the value of its key: where it does not say so, a reader that meets one asks twice, once.
 */
export function createOnlineReader(
  store: OnlineStore,
  project: string,
  isReady: (view: string, feature: WindowFeature) => boolean = () => true,
  isSpilled: (view: string) => boolean = () => false,
): OnlineReader {
  const schemas = createOnlineSchemas(store, project);
  const metSpilled = new Set<string>();
  const isHinted = (view: string) => metSpilled.has(view) || isSpilled(view);
  return {
    read: async (wanted, atUs, signal) => {
      const { keys, places } = placeKeys(project, wanted);
      const sided = await readSided(store, project, keys, placeSides(wanted, places, isHinted), signal);
      const { values } = sided;
      const missing = new Set<number>();
      const wantSide = (place: number, view: string) => {
        metSpilled.add(view);
        sided.want(place, view);
      };
      const context = { atUs, missing, isReady, sideOf: sided.sideOf, wantSide };
      for (;;) {
        missing.clear();
        const rows = readAll(wanted, places, values, context);
        await schemas.load(missing, signal);
        const isLearnt = addDecoders(wanted, schemas, missing);
        if ((await sided.readWanted(signal)) || isLearnt) continue;
        return { rows, keys: keys.length, hits: values.reduce((hits, value) => hits + (value === undefined ? 0 : 1), 0) };
      }
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

/** What stands beside keys, of views of which any state has spilled. */
function placeSides(
  wanted: readonly WantedRows[],
  places: readonly Int32Array[],
  isHinted: (view: string) => boolean,
): { readonly place: number; readonly view: string }[] {
  const sides = new Map<string, { readonly place: number; readonly view: string }>();
  for (const [at, { lookup }] of wanted.entries()) {
    const view = lookup.view.name;
    if (!isOfWindows(lookup) || !isHinted(view)) continue;
    for (const place of places[at] as Int32Array) if (place >= 0) sides.set(`${place} ${view}`, { place, view });
  }
  return [...sides.values()];
}

function readAll(
  wanted: readonly WantedRows[],
  places: readonly Int32Array[],
  values: readonly (Buffer | undefined)[],
  context: ReadContext,
): (ReadRow | undefined)[][] {
  return wanted.map(({ lookup }, at) => {
    const read = new Map<number, ReadRow | undefined>();
    const rows: (ReadRow | undefined)[] = [];
    for (const place of places[at] as Int32Array) {
      const value = place < 0 ? undefined : values[place];
      // Where nothing stands at a key that is one, windows are empty, which is an answer too.
      if (place < 0 || (value === undefined && !isOfWindows(lookup))) rows.push(undefined);
      else {
        if (!read.has(place)) read.set(place, readRow(lookup, value, place, context));
        rows.push(read.get(place));
      }
    }
    return rows;
  });
}

interface ReadContext {
  readonly atUs: bigint;
  readonly missing: Set<number>;
  readonly isReady: (view: string, feature: WindowFeature) => boolean;
  readonly sideOf: SidedValues['sideOf'];
  readonly wantSide: SidedValues['want'];
}

function isOfWindows(lookup: OnlineLookup | WindowLookup): lookup is WindowLookup {
  return 'cohorts' in lookup;
}

function readRow(
  lookup: OnlineLookup | WindowLookup,
  value: Buffer | undefined,
  place: number,
  { atUs, missing, isReady, sideOf, wantSide }: ReadContext,
): ReadRow | undefined {
  if (!isOfWindows(lookup)) return readVisible(lookup, value as Buffer, atUs, missing);
  const { name } = lookup.view;
  const row = readWindowRow(lookup, value, {
    ...{ atUs, missing, side: sideOf(place, name) },
    isReady: (feature) => isReady(name, feature),
    wantSide: () => wantSide(place, name),
  });
  return { eventUs: null, isTooOld: false, ...row };
}

/** A view's rows stand from the greatest to the least, so that the first visible one is the winner. */
function readVisible(lookup: OnlineLookup, value: Buffer, atUs: bigint, missing: Set<number>): ReadRow | undefined {
  const { decoders, view } = lookup;
  for (let at = startOfRows(value); at < value.length; ) {
    const span = nextSpan(value, at);
    at = span.end;
    const decode = decoders.get(span.schemaId);
    if (decode === undefined) {
      if (isSchemaId(span.schemaId) && !decoders.has(span.schemaId)) missing.add(span.schemaId);
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
    for (const { lookup } of wanted) {
      if (isOfWindows(lookup)) {
        if (!lookup.cohorts.has(id)) addCohort(lookup, id, schema);
      } else if (!lookup.decoders.has(id)) addDecoder(lookup, id, schema);
    }
  }
  return any;
}
