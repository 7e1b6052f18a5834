/** Compares batches of what was served with what history says of the same keys at the same times, and finds the causes of differences. */
import { randomUUID } from 'node:crypto';
import type { Column } from '../../arrow/column.ts';
import { readValue } from '../../arrow/read-value.ts';
import { formatInstantUs } from '../../definitions/literal.ts';
import type { Erasure } from '../../online/write/erasure-index.ts';
import type { RegistryDocument } from '../../registry/document.ts';
import type { OnProgress } from '../progress.ts';
import { examineBatch } from './examine-batch.ts';
import { collectFeature, type FeatureTally } from './feature-tally.ts';
import { settleDoubts } from './look-again.ts';
import { type ServedBatch, type ServedOutput, withOutputs } from './pairs.ts';
import type { ParityParts } from './parts.ts';
import { planBatch, recompute } from './recompute.ts';
import type { ParityFeature, ParityReport } from './report.ts';
import type { Tolerance } from './tolerance.ts';
import { hasFeature, toleranceOf, typeOf } from './versions.ts';

export interface ParityOptions {
  readonly mode: ParityReport['mode'];
  readonly fromUs?: bigint;
  readonly toUs?: bigint;
  /** By `view:feature`. */
  readonly tolerances?: Readonly<Record<string, Tolerance>>;
  /** Differences of a feature that are examined at most; default 50. */
  readonly examine?: number;
  readonly nowUs: bigint;
  /** What is to be compared whether a row of it comes or not. */
  readonly expected?: readonly { readonly view: string; readonly feature: string }[];
  readonly skipped?: ParityReport['summary']['skipped'];
  /** Said where there is nothing to compare. */
  readonly advice: string;
  readonly signal: AbortSignal;
  readonly onProgress?: OnProgress<ParityProgress> | undefined;
}

export interface ParityProgress {
  readonly rows: number;
  readonly pairs: number;
  readonly differences: number;
}

const defaultExamined = 50;

/** Checks batch by batch; none is kept. */
export async function runParity(
  parts: ParityParts,
  batches: AsyncIterable<ServedBatch>,
  options: ParityOptions,
): Promise<ParityReport> {
  const started = performance.now();
  const { registry } = parts;
  const { signal, onProgress } = options;
  const tallies = new Map<string, FeatureTally>();
  const gone = new Set<string>();
  const progress = { rows: 0, pairs: 0, differences: 0 };
  const tallyOf = ({ view, feature }: Pick<ServedOutput, 'view' | 'feature'>): FeatureTally => {
    const name = `${view}:${feature}`;
    const tolerance = options.tolerances?.[name] ?? toleranceOf(registry, view, feature);
    const known =
      tallies.get(name) ??
      collectFeature({
        view,
        feature,
        type: typeOf(registry, view, feature),
        tolerance,
        examined: options.examine ?? defaultExamined,
      });
    tallies.set(name, known);
    return known;
  };
  for (const wanted of options.expected ?? []) tallyOf(wanted);
  const erasures = await parts.erasures(signal);
  for await (const batch of batches) {
    signal.throwIfAborted();
    for (const { view, feature } of batch.outputs) if (!hasFeature(registry, view, feature)) gone.add(`${view}:${feature}`);
    const live = withOutputs(batch, ({ view, feature }) => hasFeature(registry, view, feature));
    progress.rows += batch.length;
    if (live.outputs.length === 0) continue;
    await compareBatch(parts, live, tallyOf, erasures, signal);
    progress.pairs += live.length * live.outputs.length;
    progress.differences = [...tallies.values()].reduce((sum, tally) => sum + tally.differences, 0);
    await onProgress?.({ ...progress });
  }
  const features = [...tallies.values()].map((tally) => tally.finish());
  return describeRun(
    { registry, features, rows: progress.rows, pairs: progress.pairs, gone: [...gone].sort(), started },
    options,
  );
}

export interface FinishedRun {
  readonly registry: RegistryDocument;
  readonly features: readonly ParityFeature[];
  readonly rows: number;
  readonly pairs: number;
  readonly gone: readonly string[];
  /** As `performance.now` says it. */
  readonly started: number;
}

/** The report: PASS only where every feature passes. */
export function describeRun(
  { registry, features, rows, pairs, gone, started }: FinishedRun,
  options: ParityOptions,
): ParityReport {
  const count = (result: ParityReport['result']) => features.filter((one) => one.result === result).length;
  const causes: Record<string, number> = {};
  for (const feature of features) for (const [name, n] of Object.entries(feature.causes)) causes[name] = (causes[name] ?? 0) + n;
  const result = count('FAIL') > 0 ? 'FAIL' : features.length === 0 || count('NO DATA') > 0 ? 'NO DATA' : 'PASS';
  return {
    id: randomUUID(),
    kind: 'parity',
    created_at: formatInstantUs(options.nowUs),
    mode: options.mode,
    from: options.fromUs === undefined ? null : formatInstantUs(options.fromUs),
    to: options.toUs === undefined ? null : formatInstantUs(options.toUs),
    version: registry.version,
    result,
    summary: {
      rows,
      pairs,
      features: features.length,
      passed: count('PASS'),
      failed: count('FAIL'),
      no_data: count('NO DATA'),
      differences: features.reduce((sum, { n, within_tolerance: within }) => sum + n - within, 0),
      examined: features.reduce((sum, { examined }) => sum + examined, 0),
      causes,
      gone,
      skipped: options.skipped ?? [],
      advice: result === 'NO DATA' ? options.advice : null,
      seconds: Math.round(performance.now() - started) / 1000,
    },
    features,
  };
}

async function compareBatch(
  parts: ParityParts,
  batch: ServedBatch,
  tallyOf: (output: ServedOutput) => FeatureTally,
  erasures: readonly Erasure[],
  signal: AbortSignal,
): Promise<void> {
  const { registry } = parts;
  const plan = planBatch(registry, batch);
  const types = batch.outputs.map(({ view, feature }) => typeOf(registry, view, feature));
  const sides = await recompute(parts.history, plan, batch, types, signal);
  const chosen = batch.outputs.map((output, at) => {
    const side = sides[at] as (typeof sides)[number];
    return tallyOf(output).add(output, side, types[at] as string);
  });
  const wanted = chosen.flatMap((rows, output) => rows.map((row) => ({ output, row })));
  if (wanted.length === 0) return;
  const compared = { batch, plan, sides, types, toleranceOf: (output: number) => tallyOf(outputAt(batch, output)).tolerance };
  const looked = await examineBatch(parts, compared, wanted, erasures, signal);
  for (const { difference, found } of await settleDoubts(parts, compared, looked, erasures, signal)) {
    const { row, atUs, online, servedType, offline } = difference;
    const keys = keysOf(batch, row);
    tallyOf(outputAt(batch, difference.output)).explain({ row, atUs, keys, online, servedType, offline, found });
  }
}

function outputAt({ outputs }: ServedBatch, output: number): ServedOutput {
  return outputs[output] as ServedOutput;
}

function keysOf({ schema, columns, request }: ServedBatch, row: number): Readonly<Record<string, unknown>> {
  const entries = schema.fields.flatMap(({ name }, at) => {
    if (name === request.timestamp) return [];
    return [[name, readValue(columns[at] as Column, row)] as const];
  });
  return Object.fromEntries(entries);
}
