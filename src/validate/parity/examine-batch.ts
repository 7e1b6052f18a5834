/** Looks at differences of one batch, each with all that is known of it: its rows now, the version that was served, what is erased. */
import type { Column } from '../../arrow/column.ts';
import { readValue } from '../../arrow/read-value.ts';
import { FeatureStoreError } from '../../errors.ts';
import type { LookupPlan, RetrievalPlan } from '../../offline/plan.ts';
import type { Erasure } from '../../online/write/erasure-index.ts';
import type { Side } from './compare-feature.ts';
import { openDefinition } from './definition.ts';
import { findLostRows, whenErased } from './erased.ts';
import { type Difference, type Examined, type ExamineParts, examine } from './examine.ts';
import { type ServedBatch, withOutputs } from './pairs.ts';
import type { ParityParts } from './parts.ts';
import { planBatch } from './recompute.ts';
import type { Tolerance } from './tolerance.ts';
import { findRedefinition, hasFeature } from './versions.ts';

/** A batch, and what history says of it now, by output. */
export interface ComparedBatch {
  readonly batch: ServedBatch;
  readonly plan: RetrievalPlan;
  readonly sides: readonly Side[];
  readonly types: readonly string[];
  toleranceOf(output: number): Tolerance;
}

export interface Place {
  readonly output: number;
  readonly row: number;
}

export interface ExaminedDifference {
  readonly difference: Difference;
  readonly found: Examined;
}

/** In the order of `wanted`. */
export async function examineBatch(
  parts: ParityParts,
  { batch, plan, sides, types, toleranceOf }: ComparedBatch,
  wanted: readonly Place[],
  erasures: readonly Erasure[],
  signal: AbortSignal,
): Promise<readonly ExaminedDifference[]> {
  const now = await openDefinition(parts.history, plan, batch, wanted, signal);
  const served = await openServed(parts, batch, wanted, signal);
  const timeOf = timesOf(plan, batch);
  const examined: ExamineParts = {
    now,
    served: (output) => {
      const place = served?.places[output];
      return served === undefined || place === undefined || place < 0
        ? undefined
        : { definition: served.definition, output: place, version: batch.version };
    },
    knownAt: batch.knownAt,
    erasedUs: (lookup: LookupPlan, key) => whenErased(erasures, lookup, key),
    lostRows: (lookup: LookupPlan, reach) => findLostRows(erasures, lookup, reach),
    redefinedUs: (view, feature) => findRedefinition(parts, view, feature),
  };
  const looked: ExaminedDifference[] = [];
  for (const { output, row } of wanted) {
    signal.throwIfAborted();
    const { online, type: servedType } = batch.outputs[output] as ServedBatch['outputs'][number];
    const [offline, type] = [sides[output] as Side, types[output] as string];
    const tolerance = toleranceOf(output);
    const difference = { output, row, atUs: timeOf(row), type, servedType, tolerance, online, offline };
    looked.push({ difference, found: await examine(examined, difference) });
  }
  return looked;
}

/** The version that was served, over the same rows, where it is another and kept. */
async function openServed(parts: ParityParts, batch: ServedBatch, wanted: readonly Place[], signal: AbortSignal) {
  if (batch.version === parts.registry.version) return undefined;
  const document = parts.readDocument(batch.version);
  if (document === undefined) return undefined;
  const known = withOutputs(batch, ({ view, feature }) => hasFeature(document, view, feature));
  if (known.outputs.length === 0) return undefined;
  const places = batch.outputs.map((output) => known.outputs.indexOf(output));
  const theirs = wanted.flatMap(({ output, row }) => {
    const place = places[output] as number;
    return place < 0 ? [] : [{ output: place, row }];
  });
  try {
    const definition = await openDefinition(parts.history, planBatch(document, known), known, theirs, signal);
    return { definition, places };
  } catch (error) {
    signal.throwIfAborted();
    // Sources of an earlier version may be gone: then nothing can be said of it.
    if (error instanceof FeatureStoreError) return undefined;
    throw error;
  }
}

function timesOf(plan: RetrievalPlan, { columns }: ServedBatch): (row: number) => bigint {
  const { time } = plan;
  return time.kind === 'at' ? () => time.us : (row) => readValue(columns[time.index] as Column, row) as bigint;
}
