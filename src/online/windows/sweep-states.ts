/** Frees what no window, session or late event can need any more of keys that get no more events (rule 6.9). */
import { asBuffer, type Cursor } from '../encoding/bytes.ts';
import { entityPrefix } from '../encoding/keys.ts';
import { isSchemaId, joinRows, readSpans } from '../encoding/row-codec.ts';
import { createOnlineRecords } from '../records.ts';
import { changeWholes } from '../spill/change-wholes.ts';
import { readSpilled } from '../spill/spilled-row.ts';
import { readSpilledViews, writeSpilledKeys } from '../spill/spilled-views.ts';
import type { OnlineScope } from '../write/erase.ts';
import { type Cohort, compileCohort } from './cohort.ts';
import { isEmptyState, settle } from './state.ts';
import { compileStateCodec, type StateCodec } from './state-codec.ts';
import { stateMark, stateSchema, type WindowView } from './window-view.ts';

export interface SweepOptions {
  readonly nowUs: bigint;
  /** By view: events before this are late in every partition of its source; undefined where none is known to be. */
  acceptedFromUs(view: string): bigint | undefined;
  /** Whether a fence of a view's source can go. */
  isCommitted(view: string, partition: string, next: bigint): boolean;
  /** Throws where other definitions are being filled, or are, than those of the views; asked for every page, of what was read before. */
  check?(): Promise<void>;
}

export interface SweepReport {
  /** Keys whose states became smaller or went. */
  readonly keys: number;
  /** Bytes that were freed. */
  readonly bytes: number;
  /** By view at how many keys a state has spilled and is gone, which stay as they are; undefined where none is. */
  readonly lost?: Readonly<Record<string, number>>;
}

/**
 * Reads every key once, page by page. Of the views named, states of definitions that are no more go whole, and it is noted at how many keys
 * states have spilled.
 */
export async function sweepStates(
  scope: OnlineScope,
  views: readonly WindowView[],
  options: SweepOptions,
  signal?: AbortSignal,
): Promise<SweepReport> {
  const report = { keys: 0, bytes: 0 };
  const lost: Record<string, number> = {};
  const records = createOnlineRecords(scope.store, scope.project);
  const names = views.map(({ name }) => name);
  const before = await readSpilledViews(records, names, signal);
  const spans = openSpans(scope, views, signal);
  const spilled = new Map(names.map((name) => [name, 0]));
  const count = (_: Uint8Array, value: Buffer | undefined) => {
    for (const { view } of readSpilled(value)) if (spilled.has(view)) spilled.set(view, (spilled.get(view) as number) + 1);
  };
  for await (const keys of scope.store.scan(entityPrefix(scope.project), signal)) {
    const values = await scope.store.read(keys, signal);
    await spans.learn(values);
    const concerned = keys.filter((_, at) => values[at] !== undefined && spans.isSwept(asBuffer(values[at])));
    await options.check?.();
    const seen = new Map(keys.map((key, at) => [asBuffer(key).toString('latin1'), values[at]]));
    const sizes = new Map<string, number>();
    const shrink = (whole: Buffer | undefined, key: Uint8Array, stored: Buffer | undefined) => {
      const before = seen.get(asBuffer(key).toString('latin1'));
      // What was written since was not checked, and its writer has freed what it could.
      if (whole === undefined || before === undefined || stored?.equals(before) !== true) return whole;
      const swept = sweepValue(spans, whole, options);
      sizes.set(asBuffer(key).toString('latin1'), whole.length - (swept?.length ?? 0));
      return swept;
    };
    const viewOf = (schemaId: number) => spans.of(schemaId)?.cohort.view.name;
    const change = { ...scope, views, lost: 'left' as const, learn: spans.learn, viewOf, change: shrink };
    const changed = await changeWholes(change, concerned, count, signal);
    for (const view of changed.lost) lost[view] = (lost[view] ?? 0) + 1;
    for (const freed of sizes.values()) {
      report.keys += freed > 0 ? 1 : 0;
      report.bytes += Math.max(0, freed);
    }
  }
  for (const [at, view] of names.entries()) {
    const counts = { found: spilled.get(view) as number, before: before[at]?.keys ?? 0 };
    await writeSpilledKeys(records, view, counts, signal);
  }
  return Object.keys(lost).length === 0 ? report : { ...report, lost };
}

interface SweptSpan {
  readonly cohort: Cohort;
  readonly codec: StateCodec | undefined;
}

interface Spans {
  learn(values: readonly (Uint8Array | undefined)[]): Promise<void>;
  /** undefined for what is no state; states of views or definitions that are no more have a cohort without features. */
  of(schemaId: number): SweptSpan | undefined;
  isSwept(value: Buffer): boolean;
}

function openSpans(scope: OnlineScope, views: readonly WindowView[], signal: AbortSignal | undefined): Spans {
  const known = new Map<number, SweptSpan | undefined>();
  const load = async (id: number): Promise<SweptSpan | undefined> => {
    const schema = scope.schemas.get(id);
    if (schema?.view.endsWith(stateMark) !== true) return undefined;
    const view = views.find(({ name }) => `${name}${stateMark}` === schema.view);
    if (view === undefined) return undefined;
    const cohort = compileCohort(view, id, schema) as Cohort;
    if (cohort.view.features.length === 0) return { cohort, codec: undefined };
    const own = await scope.schemas.ensure(stateSchema(view, cohort.view.features), signal);
    const aggregates = cohort.view.features.map(({ aggregate }) => aggregate);
    return { cohort, codec: compileStateCodec(own, aggregates, view.gapUs !== undefined) };
  };
  return {
    of: (schemaId) => known.get(schemaId),
    isSwept: (value) =>
      readSpans(value).some(({ schemaId }) => known.get(schemaId) !== undefined) ||
      readSpilled(value).some(({ view }) => views.some(({ name }) => name === view)),
    async learn(values) {
      const ids = new Set<number>();
      for (const value of values) {
        if (value === undefined) continue;
        for (const { schemaId } of readSpans(asBuffer(value))) {
          if (isSchemaId(schemaId) && !known.has(schemaId)) ids.add(schemaId);
        }
      }
      await scope.schemas.load(ids, signal);
      for (const id of ids) known.set(id, await load(id));
    },
  };
}

function sweepValue(spans: Spans, value: Buffer, { nowUs, acceptedFromUs, isCommitted }: SweepOptions): Buffer | undefined {
  const kept: Buffer[] = [];
  for (const span of readSpans(value)) {
    const swept = spans.of(span.schemaId);
    if (swept === undefined) {
      kept.push(value.subarray(span.start, span.end));
      continue;
    }
    const { cohort, codec } = swept;
    if (codec === undefined) continue;
    const cursor: Cursor = { buffer: value, at: span.body, end: span.end };
    const state = cohort.decode(cursor);
    const { name } = cohort.view;
    settle(cohort.view, state, nowUs, acceptedFromUs(name), true);
    for (const [partition, next] of state.fences) if (isCommitted(name, partition, next)) state.fences.delete(partition);
    if (!isEmptyState(state)) kept.push(codec.encode(state));
  }
  return kept.length === 0 ? undefined : joinRows(kept);
}
