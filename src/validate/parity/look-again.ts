/**
 * A second look at differences out of the log whose cause is likely and not proven: the same rows are read online now. What was only late
 * is there by now; what is not, and has no cause either, was lost or edited.
 */
import { FeatureStoreError } from '../../errors.ts';
import type { Contribution } from '../../offline/contributions.ts';
import type { Erasure } from '../../online/write/erasure-index.ts';
import { findNamed } from '../../registry/references.ts';
import type { Examined } from './examine.ts';
import { type ComparedBatch, type ExaminedDifference, examineBatch, type Place } from './examine-batch.ts';
import { servedFromAnswer } from './from-answer.ts';
import { type LiveParts, openOnline } from './live.ts';
import type { ServedBatch, ServedOutput } from './pairs.ts';
import type { LookAgain, ParityParts } from './parts.ts';
import { planBatch, recompute } from './recompute.ts';
import { typeOf } from './versions.ts';

export function createLookAgain(parts: Omit<LiveParts, 'history'>): LookAgain {
  const { registry, readKnown } = parts;
  return async (batch, rows, signal) => {
    const entities = batch.entitiesOf?.(rows);
    if (entities === undefined) return undefined;
    const { features, keys, full_feature_names: fullFeatureNames } = batch.request;
    const { online, close } = await openOnline(parts, signal);
    try {
      const request = { features, entities, keys: keys ?? {}, fullFeatureNames };
      // The first answer tells which views are looked up.
      const { views: looked } = await online.get(request, { signal });
      const views = looked.map(({ view }) => findNamed(registry.views, 'feature view', view));
      const before = await readKnown(views, signal);
      const answer = await online.get(request, { signal });
      const after = await readKnown(views, signal);
      const knownAt = (label: string) =>
        looked.flatMap((view, at) => (view.label === label ? [before[at] ?? {}, after[at] ?? {}] : []));
      return servedFromAnswer(answer, knownAt, entities as Parameters<typeof servedFromAnswer>[2]);
    } catch (error) {
      signal.throwIfAborted();
      // Keys and request values that the definitions of now do not take: then nothing can be said.
      if (error instanceof FeatureStoreError && error.code === 'INVALID_ARGUMENT') return undefined;
      throw error;
    } finally {
      close();
    }
  };
}

/** The same differences, those in doubt as a second look has them. */
export async function settleDoubts(
  parts: ParityParts,
  compared: ComparedBatch,
  looked: readonly ExaminedDifference[],
  erasures: readonly Erasure[],
  signal: AbortSignal,
): Promise<readonly ExaminedDifference[]> {
  const doubtful = looked.filter(({ found }) => found.doubt !== undefined);
  if (doubtful.length === 0) return looked;
  const rows = [...new Set(doubtful.map(({ difference }) => difference.row))];
  const again = await parts.lookAgain?.(compared.batch, rows, signal);
  const places = doubtful.map(({ difference: { output, row } }) => ({ output, row: rows.indexOf(row) }));
  const now = again === undefined ? [] : await examineNow(parts, compared, again, places, erasures, signal);
  return looked.map((one) => ({ ...one, found: settle(one.found, now[doubtful.indexOf(one)]) }));
}

async function examineNow(
  parts: ParityParts,
  before: ComparedBatch,
  batch: ServedBatch,
  places: readonly Place[],
  erasures: readonly Erasure[],
  signal: AbortSignal,
): Promise<readonly Examined[]> {
  const { registry } = parts;
  const plan = planBatch(registry, batch);
  const types = batch.outputs.map(({ view, feature }) => typeOf(registry, view, feature));
  const sides = await recompute(parts.history, plan, batch, types, signal);
  // The answer of now may have its outputs in another order.
  const toleranceOf = (output: number) => before.toleranceOf(placeOf(before.batch, batch.outputs[output] as ServedOutput));
  const compared = { batch, plan, sides, types, toleranceOf };
  return (await examineBatch(parts, compared, places, erasures, signal)).map(({ found }) => found);
}

function placeOf({ outputs }: ServedBatch, { view, feature }: ServedOutput): number {
  return outputs.findIndex((one) => one.view === view && one.feature === feature);
}

function settle(found: Examined, now: Examined | undefined): Examined {
  const { doubt } = found;
  if (doubt === undefined) return found;
  if (now?.cause === 'bug') {
    const text = `it looked like ${found.cause}, but online it is still so now, and nothing explains it`;
    return { ...found, cause: 'bug', causes: ['bug'], text, online: [], doubt: undefined };
  }
  return doubt.isProofNeeded && !isCounted(doubt.rows, now) ? doubt.otherwise : found;
}

/** Whether what was left out is served by now, or waits in the log still. */
function isCounted(left: ReadonlySet<Contribution>, now: Examined | undefined): boolean {
  if (now === undefined) return false;
  if (now.cause === 'processing_lag') return true;
  const there = new Set(now.online.flatMap(({ rows }) => rows.map(identify)));
  return [...left].every((row) => there.has(identify(row)));
}

function identify({ partition, offset, eventUs }: Contribution): string {
  return [partition, offset, eventUs].join(' ');
}
