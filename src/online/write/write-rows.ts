/** Writes rows of a view by compare-and-set, and none of an entity that is erased, even if that happens meanwhile. */
import type { LiteralValue } from '../../definitions/literal.ts';
import { asBuffer } from '../encoding/bytes.ts';
import { encodeEntityKeys } from '../encoding/keys.ts';
import { addDecoder, compileLookup } from '../encoding/lookup.ts';
import type { OnlineRow } from '../encoding/row.ts';
import { compileRowEncoder, readSpans, tombstoneId } from '../encoding/row-codec.ts';
import { contended, maxAttempts, waitAfter } from '../records.ts';
import type { Replacement } from '../store.ts';
import { type OnlineView, visibleFromUs } from '../view.ts';
import { changeValues, isErased, keepTombstone, type OnlineScope } from './erase.ts';
import { type MergeTarget, mergeRows } from './merge.ts';

export interface WrittenRow {
  /** In the order of the view's join keys. */
  readonly keys: readonly LiteralValue[];
  /** Its values in the order of the view's features. */
  readonly row: OnlineRow;
}

/** How many of the rows given: all of them together. */
export interface WriteCounts {
  /** Stored, where they were not. */
  readonly written: number;
  /** Stored already, or less than what is. */
  readonly unchanged: number;
  /** Of an entity that is erased: not stored. */
  readonly erased: number;
  /** Never to be served: a null in the key, or in the timestamp that makes them visible. */
  readonly ignored: number;
}

/** The rows of one key, and the keys at which tombstones of its entities would be. */
interface Group {
  readonly key: Buffer;
  readonly rows: OnlineRow[];
  readonly tombstones: readonly Buffer[];
  written: number;
  erased: boolean;
}

/** Keys read and replaced at once. */
const groupsAtOnce = 4096;

export async function writeRows(
  scope: OnlineScope,
  view: OnlineView,
  rows: readonly WrittenRow[],
  nowUs: bigint,
  signal?: AbortSignal,
): Promise<WriteCounts> {
  const groups = groupRows(scope.project, view, rows);
  const schemaId = await scope.schemas.ensure(view.schema, signal);
  const target: MergeTarget = {
    lookup: compileLookup(
      view,
      view.schema.features.map(({ name }) => name),
    ),
    encode: compileRowEncoder(schemaId, view.types),
  };
  addDecoder(target.lookup, schemaId, view.schema);
  for (let start = 0; start < groups.length; start += groupsAtOnce) {
    await writeGroups(scope, target, groups.slice(start, start + groupsAtOnce), nowUs, signal);
  }
  const counts = { written: 0, unchanged: 0, erased: 0, ignored: rows.length };
  for (const group of groups) {
    counts.ignored -= group.rows.length;
    if (group.erased) counts.erased += group.rows.length;
    else {
      counts.written += group.written;
      counts.unchanged += group.rows.length - group.written;
    }
  }
  return counts;
}

async function writeGroups(
  scope: OnlineScope,
  target: MergeTarget,
  groups: readonly Group[],
  nowUs: bigint,
  signal: AbortSignal | undefined,
): Promise<void> {
  let open = groups;
  for (let attempt = 0; open.length > 0; attempt++) {
    if (attempt === maxAttempts) throw contended(`an entity of feature view "${target.lookup.view.name}"`);
    if (attempt > 0) await waitAfter(attempt, signal);
    open = await tryGroups(scope, target, open, nowUs, signal);
  }
  await eraseAgain(scope, groups, signal);
}

/** Merges and replaces; the groups whose value somebody else changed meanwhile are to be tried again. */
async function tryGroups(
  scope: OnlineScope,
  target: MergeTarget,
  groups: readonly Group[],
  nowUs: bigint,
  signal: AbortSignal | undefined,
): Promise<readonly Group[]> {
  const values = await scope.store.read(
    [...groups.map(({ key }) => key), ...groups.flatMap((group) => group.tombstones)],
    signal,
  );
  await addDecoders(scope, target, values.slice(0, groups.length), signal);
  const replacements: Replacement[] = [];
  const replaced: Group[] = [];
  let tombstone = groups.length;
  for (const [at, group] of groups.entries()) {
    const expected = values[at] === undefined ? undefined : asBuffer(values[at]);
    group.erased = isErased(expected);
    for (const _ of group.tombstones) if (isErased(values[tombstone++])) group.erased = true;
    if (group.erased) {
      // What a writer that died left of an entity erased meanwhile goes too.
      const value = keepTombstone(expected);
      if (expected === undefined || value?.equals(expected) === true) continue;
      replacements.push({ key: group.key, expected, value });
    } else {
      const merged = mergeRows(target, expected, group.rows, nowUs);
      group.written = merged?.added ?? 0;
      if (merged === undefined) continue;
      replacements.push({ key: group.key, expected, value: merged.value });
    }
    replaced.push(group);
  }
  const lost = replacements.length === 0 ? [] : await scope.store.replace(replacements, signal);
  return lost.map((at) => replaced[at] as Group);
}

/** Only a tombstone at the key itself is seen by compare-and-set: others that turned up while rows were written are obeyed now. */
async function eraseAgain(scope: OnlineScope, groups: readonly Group[], signal: AbortSignal | undefined): Promise<void> {
  const written = groups.filter((group) => group.written > 0 && !group.erased && group.tombstones.length > 0);
  if (written.length === 0) return;
  const values = await scope.store.read(
    written.flatMap((group) => group.tombstones),
    signal,
  );
  let at = 0;
  const erased = written.filter((group) => {
    const own = values.slice(at, at + group.tombstones.length);
    at += own.length;
    group.erased = own.some(isErased);
    return group.erased;
  });
  await changeValues(
    scope,
    erased.map(({ key }) => key),
    keepTombstone,
    () => {},
    signal,
  );
}

function groupRows(project: string, view: OnlineView, rows: readonly WrittenRow[]): Group[] {
  const served = rows.filter(({ row }) => visibleFromUs(view.visibility, row) !== undefined);
  const keys = encodeEntityKeys(
    project,
    view.joinKeys,
    served.map((row) => row.keys),
  );
  const parts = view.entities.filter((entity) => entity.joinKeys.length < view.joinKeys.length);
  const tombstones = parts.map(({ joinKeys, positions }) =>
    encodeEntityKeys(
      project,
      joinKeys,
      served.map((row) => positions.map((position) => row.keys[position] as LiteralValue)),
    ),
  );
  const groups = new Map<string, Group>();
  for (const [at, key] of keys.entries()) {
    if (key === undefined) continue;
    const { row } = served[at] as WrittenRow;
    const name = key.toString('latin1');
    const group = groups.get(name);
    if (group !== undefined) group.rows.push(row);
    else
      groups.set(name, { key, rows: [row], tombstones: tombstones.map((all) => all[at] as Buffer), written: 0, erased: false });
  }
  return [...groups.values()];
}

async function addDecoders(
  { schemas }: OnlineScope,
  { lookup }: MergeTarget,
  values: readonly (Uint8Array | undefined)[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const unknown = new Set<number>();
  for (const value of values) {
    for (const { schemaId } of value === undefined ? [] : readSpans(asBuffer(value))) {
      if (schemaId !== tombstoneId && !lookup.decoders.has(schemaId)) unknown.add(schemaId);
    }
  }
  await schemas.load(unknown, signal);
  for (const id of unknown) {
    const schema = schemas.get(id);
    if (schema !== undefined) addDecoder(lookup, id, schema);
  }
}
