/** Erasure (rule 8.4): a tombstone at the entity's own key, which writers obey, and no row of it anywhere. */
import type { LiteralValue } from '../../definitions/literal.ts';
import { asBuffer } from '../encoding/bytes.ts';
import { encodeEntityKey, encodeEntityKeys, entityPrefix, type JoinKey, splitEntityKey } from '../encoding/keys.ts';
import {
  encodeTombstone,
  joinRows,
  nextSpan,
  readSpans,
  readTombstone,
  spilledId,
  startOfRows,
  tombstoneId,
} from '../encoding/row-codec.ts';
import type { OnlineSchemas } from '../encoding/schemas.ts';
import { contended, maxAttempts, waitAfter } from '../records.ts';
import { replaceEntity } from '../spill/place-states.ts';
import { spilledRow } from '../spill/spilled-row.ts';
import type { OnlineStore, Replacement } from '../store.ts';
import { stateMark } from '../windows/window-view.ts';

export interface OnlineScope {
  readonly store: OnlineStore;
  readonly project: string;
  readonly schemas: OnlineSchemas;
}

export interface ErasureReport {
  /** Keys from which rows were removed. */
  readonly keys: number;
  /** Rows removed, by the view that they were written for; those of unknown schemas under an empty name. */
  readonly rows: Readonly<Record<string, number>>;
}

/** Removes every row of an entity and leaves a tombstone; one that is there keeps its instant. */
export async function eraseEntity(
  scope: OnlineScope,
  joinKeys: readonly JoinKey[],
  values: readonly LiteralValue[],
  atUs: bigint,
  signal?: AbortSignal,
): Promise<ErasureReport> {
  const own = encodeEntityKey(scope.project, joinKeys, values);
  const report = { keys: 0, rows: {} as Record<string, number> };
  const bury = (value: Buffer | undefined) => joinRows([tombstoneOf(value) ?? encodeTombstone(atUs)]);
  await changeValues(scope, [own], bury, (value) => countRows(scope, report, value), signal);
  const erased = splitEntityKey(scope.project, own)?.parts ?? [];
  for await (const keys of scope.store.scan(entityPrefix(scope.project), signal)) {
    const concerned = keys.filter((key) => !asBuffer(key).equals(own) && contains(scope.project, key, joinKeys, erased));
    await changeValues(scope, concerned, keepTombstone, (value) => countRows(scope, report, value), signal);
  }
  return report;
}

/** Takes the tombstone of an entity away; whether there was one. */
export async function liftErasure(
  scope: OnlineScope,
  joinKeys: readonly JoinKey[],
  values: readonly LiteralValue[],
  signal?: AbortSignal,
): Promise<boolean> {
  let lifted = false;
  const lift = (value: Buffer | undefined) => {
    const rows = value === undefined ? [] : readSpans(value).filter((span) => span.schemaId !== tombstoneId);
    return rows.length === 0 ? undefined : joinRows(rows.map((span) => (value as Buffer).subarray(span.start, span.end)));
  };
  const seen = (value: Buffer) => {
    lifted = tombstoneOf(value) !== undefined;
  };
  await changeValues(scope, [encodeEntityKey(scope.project, joinKeys, values)], lift, seen, signal);
  return lifted;
}

/** When each of the entities was erased; undefined where it is not. */
export async function readErasures(
  { store, project }: OnlineScope,
  joinKeys: readonly JoinKey[],
  entities: readonly (readonly LiteralValue[])[],
  signal?: AbortSignal,
): Promise<(bigint | undefined)[]> {
  const keys = encodeEntityKeys(project, joinKeys, entities);
  const present = keys.filter((key) => key !== undefined);
  const values = (present.length === 0 ? [] : await store.read(present, signal)).values();
  return keys.map((key) => {
    const value = key === undefined ? undefined : values.next().value;
    if (value === undefined) return undefined;
    const buffer = asBuffer(value);
    const tombstone = readSpans(buffer).find((span) => span.schemaId === tombstoneId);
    return tombstone === undefined ? undefined : readTombstone(buffer, tombstone);
  });
}

/** Whether a value says that its entity is erased. */
export function isErased(value: Uint8Array | undefined): boolean {
  return value !== undefined && tombstoneOf(asBuffer(value)) !== undefined;
}

/** A value without its rows: the tombstone, or nothing. */
export function keepTombstone(value: Buffer | undefined): Buffer | undefined {
  const tombstone = tombstoneOf(value);
  return tombstone === undefined ? undefined : joinRows([tombstone]);
}

/**
 * Changes values by compare-and-set until each is as `change` makes it; `before` sees what each was, once it is replaced. What has spilled of
 * them stays where it is as long as its row stays, and goes with it.
 */
export async function changeValues(
  { store, project }: OnlineScope,
  keys: readonly Uint8Array[],
  change: (value: Buffer | undefined, key: Uint8Array) => Buffer | undefined,
  before: (value: Buffer) => void | Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  let open = keys;
  for (let attempt = 0; open.length > 0; attempt++) {
    if (attempt === maxAttempts) throw contended('an entity');
    if (attempt > 0) await waitAfter(attempt, signal);
    const values = await store.read(open, signal);
    const replacements: Replacement[] = [];
    for (const [at, key] of open.entries()) {
      const expected = values[at] === undefined ? undefined : asBuffer(values[at]);
      const value = change(expected, key);
      const isSame = value === undefined ? expected === undefined : expected !== undefined && value.equals(expected);
      if (!isSame) replacements.push(replaceEntity(project, key, expected, value));
    }
    const lost = new Set(replacements.length === 0 ? [] : await store.replace(replacements, signal));
    for (const [at, { expected }] of replacements.entries()) {
      if (!lost.has(at) && expected !== undefined) await before(expected as Buffer);
    }
    open = replacements.filter((_, at) => lost.has(at)).map(({ key }) => key);
  }
}

function tombstoneOf(value: Buffer | undefined): Buffer | undefined {
  if (value === undefined) return undefined;
  for (let at = startOfRows(value); at < value.length; ) {
    const span = nextSpan(value, at);
    if (span.schemaId === tombstoneId) return value.subarray(span.start, span.end);
    at = span.end;
  }
  return undefined;
}

/** Whether a key has every join key of the entity with its value. */
function contains(project: string, key: Uint8Array, joinKeys: readonly JoinKey[], erased: readonly Uint8Array[]): boolean {
  const split = splitEntityKey(project, key);
  if (split === undefined) return false;
  return joinKeys.every(({ name }, at) => {
    const part = split.parts[split.joinKeys.indexOf(name)];
    return part !== undefined && asBuffer(part).equals(erased[at] as Uint8Array);
  });
}

async function countRows(
  { schemas }: OnlineScope,
  report: { keys: number; readonly rows: Record<string, number> },
  value: Buffer,
): Promise<void> {
  const rows = readSpans(value).filter((span) => span.schemaId !== tombstoneId);
  if (rows.length === 0) return;
  report.keys += 1;
  await schemas.load(rows.map((span) => span.schemaId));
  for (const span of rows) {
    const { schemaId } = span;
    const view =
      schemaId === spilledId ? spilledRow(value, span).view : (schemas.get(schemaId)?.view ?? '').replace(stateMark, '');
    report.rows[view] = (report.rows[view] ?? 0) + 1;
  }
}
