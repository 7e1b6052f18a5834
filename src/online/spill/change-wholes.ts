/** Changes values of entities whole, those states included that have spilled. */
import { asBuffer } from '../encoding/bytes.ts';
import { joinRows, readSpans } from '../encoding/row-codec.ts';
import { contended, createOnlineRecords, maxAttempts, waitAfter } from '../records.ts';
import type { OnlineStore, Replacement } from '../store.ts';
import { placeStates, replaceEntity, wholeValue } from './place-states.ts';
import { lostSide, readSides, type SidedValue, takeSome } from './read-sides.ts';
import { readSpilled } from './spilled-row.ts';
import { addSpilledKeys } from './spilled-views.ts';
import { countSpilled, type SpilledState } from './tell-spilled.ts';

export interface SpillingView {
  readonly name: string;
  /** States of one key above this spill. */
  readonly maxStateBytes: number;
}

export interface WholeChange {
  readonly store: OnlineStore;
  readonly project: string;
  /** Views whose states are looked at; those of others stay where they are. */
  readonly views: readonly SpillingView[];
  /** What is lost of a spilled state is an error, is taken for no state, or its key is left as it is and told. */
  readonly lost: 'refused' | 'empty' | 'left';
  /** Makes everything known of the schemas of values that `viewOf` and `change` need. */
  learn(wholes: readonly (Buffer | undefined)[]): Promise<void>;
  /** The one of `views` that rows of a schema are states of. */
  viewOf(schemaId: number): string | undefined;
  /** Called again with what others wrote meanwhile; `stored` is what stands at the key itself. */
  change(whole: Buffer | undefined, key: Uint8Array, stored: Buffer | undefined): Buffer | undefined;
}

export interface ChangedWholes {
  readonly spilled: SpilledState[];
  /** Views of which a state is lost at a key that was left, once a key. */
  readonly lost: string[];
}

/** Changes each key by compare-and-set; `after` is given what stands at it from then on. */
export async function changeWholes(
  change: WholeChange,
  keys: readonly Uint8Array[],
  after: (key: Uint8Array, value: Buffer | undefined) => void,
  signal?: AbortSignal,
): Promise<ChangedWholes> {
  const changed: ChangedWholes = { spilled: [], lost: [] };
  let left = keys;
  while (left.length > 0) left = await changeSome(change, left, after, changed, signal);
  return changed;
}

/** Gives the keys that are left for the next time. */
async function changeSome(
  change: WholeChange,
  keys: readonly Uint8Array[],
  after: (key: Uint8Array, value: Buffer | undefined) => void,
  changed: ChangedWholes,
  signal: AbortSignal | undefined,
): Promise<readonly Uint8Array[]> {
  const { store, project, views } = change;
  const names = new Set(views.map(({ name }) => name));
  const records = createOnlineRecords(store, project);
  const later: Uint8Array[] = [];
  let open = keys;
  for (let attempt = 0; open.length > 0; attempt++) {
    if (attempt === maxAttempts) throw contended('an entity');
    if (attempt > 0) await waitAfter(attempt, signal);
    const values = await store.read(open, signal);
    const read = open.map(
      (key, at): SidedValue => ({
        ...{ key: asBuffer(key), value: values[at] && asBuffer(values[at]), isWanted: (view) => names.has(view) },
        ...{ sides: new Map(), lost: new Set() },
      }),
    );
    const { taken: sided, rest } = takeSome(read);
    later.push(...rest.map(({ key }) => key));
    await readSides(change, sided, signal);
    const there = sided.filter(({ key, value, lost: [lost] }) => {
      if (lost === undefined || change.lost === 'empty') return true;
      if (change.lost === 'refused') throw lostSide(lost);
      changed.lost.push(lost);
      after(key, value);
      return false;
    });
    const wholes = there.map(wholeValue);
    await change.learn(wholes);
    const replacements: Replacement[] = [];
    const spilled: (readonly SpilledState[])[] = [];
    for (const [at, { key, value: stored }] of there.entries()) {
      const placed = place(change, change.change(wholes[at], key, stored), key, stored);
      const { value } = placed;
      const isSame = value === undefined ? stored === undefined : stored?.equals(value) === true;
      if (isSame) after(key, stored);
      else {
        replacements.push(replaceEntity(project, key, stored, value, placed.sides));
        spilled.push(placed.spilled);
      }
    }
    await addSpilledKeys(records, new Map(spilled.flat().map(({ view }) => [view, 0])), signal);
    const lost = new Set(replacements.length === 0 ? [] : await store.replace(replacements, signal));
    const now = spilled.filter((_, at) => !lost.has(at)).flat();
    await addSpilledKeys(records, countSpilled(now), signal);
    changed.spilled.push(...now);
    for (const [at, { key, value }] of replacements.entries()) if (!lost.has(at)) after(key, value as Buffer | undefined);
    open = replacements.filter((_, at) => lost.has(at)).map(({ key }) => key);
  }
  return later;
}

interface Placed {
  readonly value: Buffer | undefined;
  readonly sides: Map<string, Buffer>;
  readonly spilled: SpilledState[];
}

/** States that have become too large go beside the value. */
function place({ views, viewOf }: WholeChange, whole: Buffer | undefined, key: Uint8Array, stored: Buffer | undefined): Placed {
  const sides = new Map<string, Buffer>();
  const spilled: SpilledState[] = [];
  if (whole === undefined) return { value: undefined, sides, spilled };
  const before = readSpilled(stored);
  const states = new Map<string, Buffer[]>();
  const spans = readSpans(whole).map(({ schemaId, start, end }) => ({ view: viewOf(schemaId), row: whole.subarray(start, end) }));
  for (const { view, row } of spans) {
    if (view === undefined) continue;
    const own = states.get(view);
    if (own === undefined) states.set(view, [row]);
    else own.push(row);
  }
  const rows: Buffer[] = [];
  for (const { view, row } of spans) {
    const own = view === undefined ? undefined : states.get(view);
    if (view === undefined) rows.push(row);
    // All states of a view stand where the first of them stood.
    else if (own?.[0] === row) {
      const { maxStateBytes } = views.find(({ name }) => name === view) as SpillingView;
      const hadSpilled = before.some((other) => other.view === view);
      const placed = placeStates({ name: view, maxStateBytes }, own, hadSpilled);
      rows.push(...placed.rows);
      if (placed.side === undefined) continue;
      sides.set(view, placed.side);
      if (!hadSpilled) spilled.push({ view, key, bytes: placed.bytes });
    }
  }
  return { value: rows.length === 0 ? undefined : joinRows(rows), sides, spilled };
}
