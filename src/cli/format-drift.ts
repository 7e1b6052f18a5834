/** A report of drift for people, within 80 columns. */
import type { DriftFeature, DriftReport, DriftSide } from '../validate/drift/report.ts';
import { breakLine } from './fold-line.ts';

/** Features that are shown; those with alarms come first. */
const mostShown = 100;

export function formatDrift(report: DriftReport): string {
  const { summary, features } = report;
  const sorted = features.toSorted((a, b) => b.alarms.length - a.alarms.length);
  const alarming = sorted.filter(({ alarms }) => alarms.length > 0);
  const lines = [
    `Drift of ${describeSide(report.current)}`,
    `  against ${describeSide(report.reference)}, version ${report.version} of the definitions`,
    '',
    ...table(sorted.slice(0, mostShown)),
    ...(features.length > mostShown ? [`and ${count(features.length - mostShown)} more without an alarm or with fewer`] : []),
    ...alarming.slice(0, mostShown).flatMap(describeAlarms),
    ...features.filter(({ never_varied: value }) => value !== null).map(describeUnvaried),
    ...summary.skipped.map(({ feature, reason }) => `${feature}: not compared, ${reason}`),
    '',
    `${report.result}  ${summary.passed} passed, ${summary.failed} failed, ${summary.no_data} without data (${summary.seconds.toFixed(1)} s)`,
    ...(summary.advice === null ? [] : [summary.advice]),
    `report ${report.id}`,
  ];
  return `${lines.flatMap((line) => breakLine(line)).join('\n')}\n`;
}

function describeSide(side: DriftSide): string {
  return `${nameSide(side)} (${count(side.rows)} rows)`;
}

function nameSide({ kind, dataset, split, from, to }: DriftSide): string {
  if (kind === 'dataset') return `dataset ${dataset}${split == null ? '' : `, split ${split}`}`;
  return kind === 'frame' ? 'a training set' : `what was served, ${from} to ${to}`;
}

/** Columns: name, keys, PSI, JS, KS, change of the mean, of nulls and of defaults, result. */
function table(features: readonly DriftFeature[]): readonly string[] {
  const widths = [7, 7, 7, 7, 8, 7, 8];
  const row = (name: string, ...cells: readonly string[]) =>
    `${name.length > 27 ? `${name.slice(0, 26)}…` : name.padEnd(27)}${cells.map((cell, at) => cell.padStart(widths[at] as number)).join('')}`;
  return [
    row('feature', 'psi', 'js', 'ks', 'mean', 'nulls', 'deflts', 'result'),
    ...features.map((one) =>
      row(
        `${one.view}:${one.feature}`,
        distance(one.psi),
        distance(one.js),
        distance(one.ks),
        signed(one.mean_change, 1, 'σ'),
        signed(one.null_rate_change, 100, '%'),
        signed(one.default_rate_change, 100, '%'),
        one.result,
      ),
    ),
  ];
}

function describeAlarms({ view, feature, measure, alarms }: DriftFeature): readonly string[] {
  const what = measure === null ? '' : ` (${measure})`;
  return [`${view}:${feature}${what}`, ...alarms.map(({ alarm, text }) => `  ${alarm}: ${text}`)];
}

function describeUnvaried({ view, feature, never_varied: value }: DriftFeature): string {
  return `${view}:${feature}: never varied, all values are ${value} on both sides`;
}

function distance(value: number | null): string {
  return value === null ? '-' : value >= 100 ? '>99' : value.toFixed(3);
}

function signed(value: number | null, scale: number, unit: string): string {
  if (value === null) return '-';
  const scaled = value * scale;
  if (Math.abs(scaled) > 999) return `${scaled < 0 ? '<-' : '>'}999${unit}`;
  return `${scaled > 0 ? '+' : ''}${scaled.toFixed(1)}${unit}`;
}

function count(value: number): string {
  return value.toLocaleString('en');
}
