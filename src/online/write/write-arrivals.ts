/** Writes what arrives by compare-and-set, and nothing of an entity that is erased, even if that happens meanwhile. */
import { asBuffer } from '../encoding/bytes.ts';
import { addDecoder, compileLookup, type OnlineLookup } from '../encoding/lookup.ts';
import { nextSpan, startOfRows, tombstoneId } from '../encoding/row-codec.ts';
import { contended, maxAttempts, waitAfter } from '../records.ts';
import type { Replacement } from '../store.ts';
import type { OnlineView } from '../view.ts';
import type { Arrivals } from './arrivals.ts';
import { changeValues, isErased, keepTombstone, type OnlineScope } from './erase.ts';
import { mergeRows } from './merge.ts';

/** A view that rows are written of. */
export interface WriteTarget {
  readonly view: OnlineView;
  /** What the rows are encoded with. */
  readonly schemaId: number;
  /** Of all features, with decoders for the schemas met so far. */
  readonly lookup: OnlineLookup;
}

/** How many of the rows of a view. */
export interface WriteCounts {
  /** Stored, where they were not. */
  readonly written: number;
  /** Stored already, or less than what is. */
  readonly unchanged: number;
  /** Of an entity that is erased: not stored. */
  readonly erased: number;
}

/** Keys read and replaced at once. */
const keysAtOnce = 4096;

export async function openTarget({ schemas }: OnlineScope, view: OnlineView, signal?: AbortSignal): Promise<WriteTarget> {
  const schemaId = await schemas.ensure(view.schema, signal);
  const lookup = compileLookup(
    view,
    view.schema.features.map(({ name }) => name),
  );
  addDecoder(lookup, schemaId, view.schema);
  return { view, schemaId, lookup };
}

/** Each key may arrive once; the counts are in the order of the views. */
export async function writeArrivals(
  scope: OnlineScope,
  targets: readonly WriteTarget[],
  arrivals: readonly Arrivals[],
  nowUs: bigint,
  signal?: AbortSignal,
): Promise<WriteCounts[]> {
  for (let start = 0; start < arrivals.length; start += keysAtOnce) {
    await writeSome({ scope, targets, nowUs, signal }, arrivals.slice(start, start + keysAtOnce));
  }
  return targets.map((_, view) => countRows(arrivals, view));
}

interface Writing {
  readonly scope: OnlineScope;
  readonly targets: readonly WriteTarget[];
  readonly nowUs: bigint;
  readonly signal: AbortSignal | undefined;
}

function countRows(arrivals: readonly Arrivals[], view: number): WriteCounts {
  const counts = { written: 0, unchanged: 0, erased: 0 };
  for (const { byView, erased } of arrivals) {
    const { rows, written } = byView[view] ?? { rows: 0, written: 0 };
    counts.written += erased ? 0 : written;
    counts.unchanged += erased ? 0 : rows - written;
    counts.erased += erased ? rows : 0;
  }
  return counts;
}

async function writeSome(writing: Writing, arrivals: readonly Arrivals[]): Promise<void> {
  const { scope, targets, signal } = writing;
  let open = arrivals;
  for (let attempt = 0; open.length > 0; attempt++) {
    if (attempt === maxAttempts)
      throw contended(`an entity of feature view "${targets.map(({ view }) => view.name).join('", "')}"`);
    if (attempt > 0) await waitAfter(attempt, signal);
    open = await tryToWrite(writing, open);
  }
  await eraseAgain(scope, arrivals, signal);
}

/** Merges and replaces; what arrives at keys whose value somebody else changed meanwhile is to be tried again. */
async function tryToWrite(writing: Writing, arrivals: readonly Arrivals[]): Promise<readonly Arrivals[]> {
  const { scope, targets, signal } = writing;
  const keys = [...arrivals.map(({ key }) => key), ...arrivals.flatMap(({ tombstones }) => tombstones)];
  const values = await scope.store.read(keys, signal);
  await addDecoders(scope, targets, values.slice(0, arrivals.length), signal);
  const replacements: Replacement[] = [];
  const replaced: Arrivals[] = [];
  let tombstone = arrivals.length;
  for (const [at, arriving] of arrivals.entries()) {
    const expected = values[at] === undefined ? undefined : asBuffer(values[at]);
    arriving.erased = isErased(expected);
    for (const _ of arriving.tombstones) if (isErased(values[tombstone++])) arriving.erased = true;
    // What a writer that died left of an entity erased meanwhile goes too.
    const value = arriving.erased ? keepTombstone(expected) : mergeAll(writing, expected, arriving);
    if (value === expected || (value !== undefined && expected?.equals(value) === true)) continue;
    replacements.push({ key: arriving.key, expected, value });
    replaced.push(arriving);
  }
  const lost = replacements.length === 0 ? [] : await scope.store.replace(replacements, signal);
  return lost.map((at) => replaced[at] as Arrivals);
}

function mergeAll({ targets, nowUs }: Writing, stored: Buffer | undefined, { byView }: Arrivals): Buffer | undefined {
  let value = stored;
  for (let view = 0; view < targets.length; view++) {
    const arrival = byView[view];
    if (arrival === undefined) continue;
    const merged = mergeRows((targets[view] as WriteTarget).lookup, value, arrival, nowUs);
    arrival.written = merged?.added ?? 0;
    value = merged?.value ?? value;
  }
  return value;
}

/** Only a tombstone at the key itself is seen by compare-and-set: others that turned up while rows were written are obeyed now. */
async function eraseAgain(scope: OnlineScope, arrivals: readonly Arrivals[], signal: AbortSignal | undefined): Promise<void> {
  const isWritten = ({ byView }: Arrivals) => byView.some((arrival) => (arrival?.written ?? 0) > 0);
  const written = arrivals.filter((arriving) => arriving.tombstones.length > 0 && !arriving.erased && isWritten(arriving));
  if (written.length === 0) return;
  const values = await scope.store.read(
    written.flatMap(({ tombstones }) => tombstones),
    signal,
  );
  let at = 0;
  const erased = written.filter((arriving) => {
    const own = values.slice(at, at + arriving.tombstones.length);
    at += own.length;
    arriving.erased = own.some(isErased);
    return arriving.erased;
  });
  await changeValues(
    scope,
    erased.map(({ key }) => key),
    keepTombstone,
    () => {},
    signal,
  );
}

async function addDecoders(
  { schemas }: OnlineScope,
  targets: readonly WriteTarget[],
  values: readonly (Uint8Array | undefined)[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const unknown = new Set<number>();
  const isKnown = (id: number) => id === tombstoneId || targets.every(({ lookup }) => lookup.decoders.has(id));
  for (const bytes of values) {
    if (bytes === undefined) continue;
    const value = asBuffer(bytes);
    for (let at = startOfRows(value); at < value.length; ) {
      const { schemaId, end } = nextSpan(value, at);
      if (!isKnown(schemaId)) unknown.add(schemaId);
      at = end;
    }
  }
  await schemas.load(unknown, signal);
  for (const id of unknown) {
    const schema = schemas.get(id);
    if (schema !== undefined) for (const { lookup } of targets) addDecoder(lookup, id, schema);
  }
}
