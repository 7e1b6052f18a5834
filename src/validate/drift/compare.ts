/** One feature in two periods: every measure of how far they are apart, and an alarm for each that is too far. */
import { formatInstantUs } from '../../definitions/literal.ts';
import { type Alarm, findAlarms, type KnownOfFeature, neverVaried, percent } from './alarms.ts';
import { type Bins, binsOf, fillBins, type Histogram } from './histogram.ts';
import type { Measure } from './measure.ts';
import type { DriftFeature, DriftValues } from './report.ts';
import { isShareNoise, jensenShannon, kolmogorovSmirnov, type Noise, noiseOf, stabilityIndex } from './statistics.ts';
import type { Profile } from './tally.ts';

/** What is too far; a distance that chance explains is never. */
export interface Thresholds {
  readonly psi: number;
  /** Bits. */
  readonly js: number;
  readonly ks: number;
  /** Standard deviations of the reference. */
  readonly mean: number;
  /** Differences of shares. */
  readonly null_rate: number;
  readonly default_rate: number;
}

export const defaultThresholds: Thresholds = { psi: 0.2, js: 0.1, ks: 0.2, mean: 0.5, null_rate: 0.1, default_rate: 0.1 };

export interface ComparedFeature extends KnownOfFeature {
  readonly view: string;
  readonly feature: string;
  readonly type: string;
  readonly measure: Measure;
  readonly thresholds: Thresholds;
  /** Keys that each side has at least, for anything to be said. */
  readonly minKeys: number;
}

export function compareFeature(of: ComparedFeature, reference: Profile, current: Profile): DriftFeature {
  const bins = binsOf(reference, of.measure.kind);
  const before = describe(reference, bins);
  const now = describe(current, bins);
  const distances = measureDistances(before.histogram, now.histogram, reference, current);
  const isJudged = Math.min(reference.units, current.units) >= of.minKeys;
  const alarms = isJudged ? [...findAlarms(reference, current, of), ...findDrift(of, distances, reference, current)] : [];
  const { view, feature, type, measure } = of;
  const result = !isJudged ? 'NO DATA' : alarms.length > 0 ? 'FAIL' : 'PASS';
  return {
    ...{ view, feature, type, measure: measure.what, reference: before, current: now },
    ...distances.shown,
    ...{ alarms, result, never_varied: (isJudged ? neverVaried(reference, current) : undefined) ?? null },
  };
}

function measureDistances(before: Histogram, now: Histogram, reference: Profile, current: Profile) {
  const isEmpty = [before, now].some(({ counts }) => counts.every((count) => count === 0));
  const areNumbers = reference.numbers.length > 0 && current.numbers.length > 0;
  const bins = before.counts.filter((count, bin) => count > 0 || (now.counts[bin] as number) > 0).length;
  const shown = {
    psi: isEmpty ? null : stabilityIndex(before.counts, now.counts),
    js: isEmpty ? null : jensenShannon(before.counts, now.counts),
    ks: areNumbers ? kolmogorovSmirnov(reference.numbers, current.numbers) : null,
    mean_change: areNumbers ? meanChange(reference, current) : null,
    null_rate_change: difference('nulls', reference, current),
    default_rate_change: difference('defaults', reference, current),
  };
  return { shown, noise: noiseOf(drawsOf(reference), drawsOf(current), bins) };
}

/** Independent draws behind the values that are compared. */
function drawsOf({ n, nulls, units, numbers }: Profile): number {
  const draws = Math.max(1, (units * (n - nulls)) / Math.max(1, n));
  return numbers.length === 0 ? draws : Math.min(draws, numbers.length);
}

function findDrift(
  { thresholds }: ComparedFeature,
  { shown, noise }: { readonly shown: ReturnType<typeof measureDistances>['shown']; readonly noise: Noise },
  reference: Profile,
  current: Profile,
): readonly Alarm[] {
  const beyond = (alarm: 'psi' | 'js' | 'ks', value: number | null, isChance: boolean): readonly Alarm[] =>
    value === null || isChance || value <= thresholds[alarm]
      ? []
      : [{ alarm, text: `${value.toFixed(3)} is more than ${thresholds[alarm]}` }];
  const areBinsChance = (shown.js ?? 0) <= noise.js;
  const { mean_change: moved } = shown;
  // Of a heavy tail the mean moves by itself: then the distributions are apart no more than chance has it.
  const isMoved = moved !== null && Math.abs(moved) > thresholds.mean && (shown.ks ?? 0) > noise.ks;
  return [
    ...beyond('psi', shown.psi, areBinsChance),
    ...beyond('js', shown.js, areBinsChance),
    ...beyond('ks', shown.ks, (shown.ks ?? 0) <= noise.ks),
    ...(isMoved
      ? [{ alarm: 'mean' as const, text: `the mean moved from ${show(reference.mean)} to ${show(current.mean)}` }]
      : []),
    ...rateAlarm('null_rate', thresholds.null_rate, 'nulls', reference, current),
    ...rateAlarm('default_rate', thresholds.default_rate, 'defaults', reference, current),
    ...rateAlarm('not_finite_rate', thresholds.null_rate, 'notFinite', reference, current),
  ];
}

type Counted = 'nulls' | 'defaults' | 'notFinite';

function rateAlarm(
  alarm: 'null_rate' | 'default_rate' | 'not_finite_rate',
  threshold: number,
  counted: Counted,
  reference: Profile,
  current: Profile,
): readonly Alarm[] {
  const [before, now] = [rateOf(reference, counted), rateOf(current, counted)];
  if (before === null || now === null || Math.abs(now - before) <= threshold) return [];
  if (isShareNoise(before, reference.units, now, current.units)) return [];
  return [{ alarm, text: `${percent(now)}; before, ${percent(before)}` }];
}

/** In deviations of the reference. */
function meanChange({ mean, deviation }: Profile, current: Profile): number | null {
  if (mean === null || current.mean === null || deviation === null) return null;
  const moved = current.mean - mean;
  // A constant has no scale: what leaves it is seen by the distances of the distributions.
  return moved === 0 ? 0 : deviation === 0 ? null : moved / deviation;
}

function difference(counted: Counted, reference: Profile, current: Profile): number | null {
  const [before, now] = [rateOf(reference, counted), rateOf(current, counted)];
  return before === null || now === null ? null : now - before;
}

function rateOf({ n, nulls, defaults, nan, infinite }: Profile, counted: Counted): number | null {
  const count = { nulls, defaults, notFinite: nan + infinite }[counted];
  return n === 0 || count === null ? null : count / n;
}

function describe(profile: Profile, bins: Bins): DriftValues {
  const { n, units, mean, deviation, least, greatest, newestUs } = profile;
  return {
    ...{ n, units, mean, deviation, least, greatest },
    null_rate: rateOf(profile, 'nulls'),
    default_rate: rateOf(profile, 'defaults'),
    not_finite_rate: rateOf(profile, 'notFinite'),
    newest_event: newestUs === null ? null : formatInstantUs(newestUs),
    histogram: fillBins(bins, profile),
  };
}

function show(value: number | null): string {
  return value === null ? 'none' : String(Number(value.toPrecision(4)));
}
