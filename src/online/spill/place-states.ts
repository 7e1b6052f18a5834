/** Where states of a view go: into the value of their key, or beside it. */
import { joinRows, readSpans, spilledId } from '../encoding/row-codec.ts';
import type { Beside, Replacement } from '../store.ts';
import type { SidedValue } from './read-sides.ts';
import { encodeSideKey } from './side-key.ts';
import { encodeSpilled, readSpilled, spilledRow, statesOf } from './spilled-row.ts';

export interface PlacedStates {
  /** What stands in the entity's own value: the states, or the row that stands for them. */
  readonly rows: readonly Buffer[];
  /** Where they have spilled. */
  readonly side: Buffer | undefined;
  readonly bytes: number;
}

/** Above the limit states spill; they come back at half of it, so that one near the limit does not go to and fro. */
export function placeStates(
  { name, maxStateBytes }: { readonly name: string; readonly maxStateBytes: number },
  states: readonly Buffer[],
  hadSpilled: boolean,
): PlacedStates {
  const bytes = states.reduce((sum, { length }) => sum + length, 0);
  if (bytes <= (hadSpilled ? maxStateBytes / 2 : maxStateBytes)) return { rows: states, side: undefined, bytes };
  const { row, side } = encodeSpilled(name, states);
  return { rows: [row], side, bytes };
}

/** The value as it were had nothing that is wanted spilled; undefined stays. Of what is lost nothing is there. */
export function wholeValue({ value, sides, lost, isWanted }: SidedValue): Buffer | undefined {
  if (value === undefined || !readSpilled(value).some(({ view }) => isWanted(view))) return value;
  const rows = readSpans(value).flatMap((span) => {
    const own = value.subarray(span.start, span.end);
    if (span.schemaId !== spilledId) return [own];
    const { view } = spilledRow(value, span);
    if (!isWanted(view)) return [own];
    return lost.has(view) ? [] : statesOf(sides.get(view) as Buffer);
  });
  return rows.length === 0 ? undefined : joinRows(rows);
}

/** Replaces the value of an entity, with the side values that it names from then on, and without those that it names no more. */
export function replaceEntity(
  project: string,
  key: Uint8Array,
  expected: Buffer | undefined,
  value: Buffer | undefined,
  sides: ReadonlyMap<string, Buffer> = noSides,
): Replacement {
  const before = readSpilled(expected);
  const after = readSpilled(value);
  if (before.length === 0 && after.length === 0) return { key, expected, value };
  const changed = after.filter(({ bytes }) => !before.some((row) => row.bytes.equals(bytes)));
  const gone = before.filter(({ view }) => !after.some((row) => row.view === view));
  const beside: Beside[] = [
    ...changed.map(({ view }) => ({ key: encodeSideKey(project, view, key), value: sides.get(view) as Buffer })),
    ...gone.map(({ view }) => ({ key: encodeSideKey(project, view, key), value: undefined })),
  ];
  return beside.length === 0 ? { key, expected, value } : { key, expected, value, beside };
}

const noSides: ReadonlyMap<string, Buffer> = new Map();
