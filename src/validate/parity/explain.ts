/** One entity: what is served of it, what training gets at the same T, and the rows or events that each value is made of. */
import { formatInstantUs, type LiteralValue } from '../../definitions/literal.ts';
import { parseValueType } from '../../definitions/value-type.ts';
import { FeatureStoreError } from '../../errors.ts';
import type { History } from '../../offline/history.ts';
import type { OnlineAnswer, OnlineRequest } from '../../online/retrieve/answer.ts';
import { createErasureIndex } from '../../online/write/erasure-index.ts';
import { findNamed } from '../../registry/references.ts';
import { compileComparison } from './compare.ts';
import type { Side } from './compare-feature.ts';
import { type Answer, openDefinition } from './definition.ts';
import { findLostRows, whenErased } from './erased.ts';
import { type Difference, type ExamineParts, examine } from './examine.ts';
import { servedFromAnswer } from './from-answer.ts';
import { type LiveParts, openOnline } from './live.ts';
import type { ServedBatch } from './pairs.ts';
import type { ParityParts } from './parts.ts';
import { planBatch, recompute } from './recompute.ts';
import { type Json, showContribution, showServed } from './show.ts';
import { findRedefinition, toleranceOf, typeOf } from './versions.ts';

export interface ExplainParts extends Pick<LiveParts, 'store' | 'readKnown' | 'logger'>, Pick<ParityParts, 'readDocument'> {
  readonly history: History;
  registry(): ParityParts['registry'];
}

export interface Explanation {
  readonly evaluated_at: string;
  /** By the names of an online answer. */
  readonly columns: Readonly<Record<string, ExplainedColumn>>;
}

export interface ExplainedColumn {
  readonly view: string;
  readonly feature: string;
  readonly type: string;
  readonly online: Json;
  readonly offline: Json;
  readonly agrees: boolean;
  /** Why it does not; null where it does. */
  readonly cause: string | null;
  readonly text: string;
  /** What the training value is made of, by view or prefix, oldest first. */
  readonly evidence: readonly Evidence[];
}

interface Evidence {
  readonly view: string;
  readonly kind: 'batch' | 'stream';
  readonly total: number;
  /** The last of them. */
  readonly rows: readonly Json[];
}

export type Explain = (request: OnlineRequest, signal: AbortSignal) => Promise<Explanation>;

const mostRows = 50;

/** INVALID_ARGUMENT unless it is one entity. */
export function createExplain(parts: ExplainParts): Explain {
  return async (request, signal) => {
    const registry = parts.registry();
    const { answer, batch } = await serveOne({ ...parts, registry }, request, signal);
    const plan = planBatch(registry, batch);
    const types = batch.outputs.map(({ view, feature }) => typeOf(registry, view, feature));
    const sides = await recompute(parts.history, plan, batch, types, signal);
    const wanted = batch.outputs.map((_, output) => ({ output, row: 0 }));
    const now = await openDefinition(parts.history, plan, batch, wanted, signal);
    const erasures = await createErasureIndex(parts.store, registry.project).read(signal);
    const examined: ExamineParts = {
      now,
      served: () => undefined,
      knownAt: batch.knownAt,
      erasedUs: (lookup, key) => whenErased(erasures, lookup, key),
      lostRows: (lookup, reach) => findLostRows(erasures, lookup, reach),
      redefinedUs: (view, feature) => findRedefinition({ registry, readDocument: parts.readDocument }, view, feature),
    };
    const columns: Record<string, ExplainedColumn> = {};
    for (const [output, { name, view, feature, online }] of batch.outputs.entries()) {
      signal.throwIfAborted();
      const [offline, type] = [sides[output] as Side, types[output] as string];
      const tolerance = toleranceOf(registry, view, feature);
      const whole = await now.answer(output, 0, [], []);
      const difference = { output, row: 0, atUs: answer.evaluatedAtUs, type, servedType: type, tolerance, online, offline };
      const found = isSame(difference, whole.scale) ? undefined : await examine(examined, difference);
      const cause = found === undefined || found.cause === 'none' ? null : found.cause;
      columns[name] = {
        ...{ view, feature, type, cause, agrees: cause === null, text: found?.text ?? '' },
        online: showServed(parseValueType(type), online, 0),
        offline: showServed(parseValueType(type), offline, 0),
        evidence: whole.from.map(showEvidence),
      };
    }
    return { evaluated_at: formatInstantUs(answer.evaluatedAtUs), columns };
  };
}

/** Reads it online, and what was known of its views before and after. */
async function serveOne(
  { store, registry, logger, readKnown }: Pick<LiveParts, 'store' | 'registry' | 'logger' | 'readKnown'>,
  request: OnlineRequest,
  signal: AbortSignal,
): Promise<{ readonly answer: OnlineAnswer; readonly batch: ServedBatch }> {
  const { online, close } = await openOnline({ store, registry, logger }, signal);
  try {
    // The first answer tells which views are looked up, and how many entities there are.
    const first = await online.get(request, { signal });
    if (first.rows !== 1) {
      throw new FeatureStoreError('INVALID_ARGUMENT', `one entity is explained at a time, and these are ${first.rows}`);
    }
    const views = first.views.map(({ view }) => findNamed(registry.views, 'feature view', view));
    const before = await readKnown(views, signal);
    const answer = await online.get(request, { signal });
    const after = await readKnown(views, signal);
    const knownAt = (label: string) =>
      first.views.flatMap((view, at) => (view.label === label ? [before[at] ?? {}, after[at] ?? {}] : []));
    const { plan, given } = answer.origin;
    const values = plan.columns.map(({ name }, at) => [name, given.columns[at]?.request ?? []] as const);
    return { answer, batch: servedFromAnswer(answer, knownAt, Object.fromEntries(values)) };
  } finally {
    close();
  }
}

function isSame({ type, tolerance, online, offline }: Difference, scale: number | undefined): boolean {
  const [x, y] = [online.values[0], offline.values[0]] as [LiteralValue, LiteralValue];
  return (
    online.statuses[0] === offline.statuses[0] &&
    online.isDefault[0] === offline.isDefault[0] &&
    online.eventUs[0] === offline.eventUs[0] &&
    compileComparison(parseValueType(type), tolerance)(x, y, scale).isWithin
  );
}

function showEvidence({ lookup, rows }: Answer['from'][number]): Evidence {
  const shown = rows.slice(-mostRows).map((row) => showContribution(lookup.view, row));
  return { view: lookup.label, kind: lookup.view.kind, total: rows.length, rows: shown };
}
