/** Batch against stream: two features that are to be the same, compared in history for the same keys at the same times. */

import type { LiteralValue } from '../../definitions/literal.ts';
import { parseValueType, type ValueType } from '../../definitions/value-type.ts';
import type { History } from '../../offline/history.ts';
import { literalColumn } from '../../offline/literal-column.ts';
import type { RegistryDocument, SourceDocument, ViewDocument } from '../../registry/document.ts';
import { findNamed } from '../../registry/references.ts';
import type { Side } from './compare-feature.ts';
import { collectFeature } from './feature-tally.ts';
import { evaluatedAt, type ServedBatch } from './pairs.ts';
import type { ParityParts } from './parts.ts';
import { planBatch, recompute } from './recompute.ts';
import type { ParityFeature, ParityReport } from './report.ts';
import { refused } from './request.ts';
import { describeRun, type ParityOptions } from './run.ts';
import type { Tolerance } from './tolerance.ts';
import { findReference, toleranceOf, typeOf } from './versions.ts';

export interface PairsRequest {
  /** The first of each stands where a report says online. */
  readonly pairs: readonly (readonly [string, string])[];
  /** Keys of each pair at most; each is compared at one time of the period. */
  readonly sample: number;
  readonly fromUs: bigint;
  readonly toUs: bigint;
}

type PairParts = Omit<ParityParts, 'history'> & { readonly history: Pick<History, 'prepare' | 'sampleKeys'> };

export async function comparePairs(
  parts: PairParts,
  { pairs, sample, fromUs, toUs }: PairsRequest,
  options: Omit<ParityOptions, 'mode' | 'advice'>,
): Promise<ParityReport> {
  const started = performance.now();
  const { registry } = parts;
  const { signal, onProgress } = options;
  const planned = pairs.map((pair) => planPair(registry, pair));
  const features: ParityFeature[] = [];
  let rows = 0;
  for (const pair of planned) {
    const { a, b, type } = pair;
    const source = registry.sources.find(({ name }) => name === pair.view.source) as SourceDocument;
    const keys = await parts.history.sampleKeys(pair.view, source, sample, signal);
    const length = pair.view.keys.length === 0 ? 1 : (keys[0]?.length ?? 0);
    const batch = frameOf(pair, keys, length, { fromUs, toUs });
    const types = [typeOf(registry, a.view, a.feature), typeOf(registry, b.view, b.feature)];
    const [one, other] = await recompute(parts.history, planBatch(registry, batch), batch, types, signal);
    const tolerance = options.tolerances?.[`${a.view}:${a.feature}`] ?? wider(registry, pair);
    const tally = collectFeature({ ...a, type: type.text, tolerance, examined: 10, only: 'values' });
    const online = convert(one as Side, types[0] as string, type.text);
    const offline = convert(other as Side, types[1] as string, type.text);
    for (const row of tally.add({ online, type: type.text }, offline, type.text)) {
      const names = pair.view.keys.map(({ name }, at) => [name, keys[at]?.[row]] as const);
      const atUs = timeAt(row, length, { fromUs, toUs });
      tally.explain({ row, atUs, keys: Object.fromEntries(names), online, servedType: type.text, offline, found: undefined });
    }
    features.push({ ...tally.finish(), against: `${b.view}:${b.feature}` });
    rows += length;
    await onProgress?.({
      rows,
      pairs: rows,
      differences: features.reduce((sum, { n, within_tolerance: within }) => sum + n - within, 0),
    });
  }
  const advice = 'no key was found in the sources of the first feature of each pair';
  return describeRun(
    { registry, features, rows, pairs: rows, gone: [], started },
    { ...options, mode: 'pairs', fromUs, toUs, advice },
  );
}

interface PlannedPair {
  readonly a: { readonly view: string; readonly feature: string };
  readonly b: { readonly view: string; readonly feature: string };
  /** The first one's, whose keys are sampled. */
  readonly view: ViewDocument;
  readonly type: { readonly text: string; readonly type: ValueType };
}

function planPair(registry: RegistryDocument, [first, second]: readonly [string, string]): PlannedPair {
  const [a, b] = [findReference(registry, first), findReference(registry, second)];
  if (a.view === b.view && a.feature === b.feature) throw refused(`"${first}" is compared with itself: name two features`);
  const view = findNamed(registry.views, 'feature view', a.view);
  const other = findNamed(registry.views, 'feature view', b.view);
  const keysOf = ({ keys }: ViewDocument) => keys.map(({ name, type }) => `${name} ${type}`).sort();
  if (keysOf(view).join() !== keysOf(other).join()) {
    throw refused(
      `"${first}" is of ${keysOf(view).join(', ') || 'no key'} and "${second}" of ${keysOf(other).join(', ') || 'no key'}: a pair has the same join keys`,
    );
  }
  const texts = [typeOf(registry, a.view, a.feature), typeOf(registry, b.view, b.feature)] as const;
  const isNumber = (text: string) => ['int32', 'int64', 'float32', 'float64'].includes(text);
  const text = texts[0] === texts[1] ? texts[0] : texts.every(isNumber) ? 'float64' : undefined;
  if (text === undefined) throw refused(`"${first}" is ${texts[0]} and "${second}" ${texts[1]}: such values cannot be compared`);
  return { a, b, view, type: { text, type: parseValueType(text) } };
}

function frameOf(
  { a, b, view }: PlannedPair,
  keys: readonly (readonly LiteralValue[])[],
  length: number,
  period: { fromUs: bigint; toUs: bigint },
): ServedBatch {
  const times = Array.from({ length }, (_, row) => timeAt(row, length, period));
  const columns = [
    literalColumn(evaluatedAt, { kind: 'timestamp' }, times),
    ...view.keys.map(({ name, type }, at) => literalColumn(name, { kind: type }, keys[at] ?? [])),
  ];
  return {
    request: {
      type: 'get_historical_features',
      features: [`${a.view}:${a.feature}`, `${b.view}:${b.feature}`],
      full_feature_names: true,
      statuses: true,
      timestamp: evaluatedAt,
      keys: {},
    },
    version: 0,
    schema: { fields: columns.map(({ field }) => field), metadata: new Map() },
    columns,
    length,
    outputs: [],
    knownAt: () => [],
  };
}

/** Spread over the period, not in the order of the rows. */
function timeAt(row: number, length: number, { fromUs, toUs }: { fromUs: bigint; toUs: bigint }): bigint {
  const place = BigInt((row * 7919) % Math.max(1, length)) + 1n;
  return fromUs + ((toUs - fromUs) * place) / BigInt(Math.max(1, length));
}

function wider(registry: RegistryDocument, { a, b }: PlannedPair): Tolerance {
  const [one, other] = [toleranceOf(registry, a.view, a.feature), toleranceOf(registry, b.view, b.feature)];
  return { relative: Math.max(one.relative, other.relative), absolute: Math.max(one.absolute, other.absolute) };
}

function convert(side: Side, from: string, to: string): Side {
  return from === to ? side : { ...side, values: side.values.map((value) => (value === null ? null : Number(value))) };
}
