/** A report of parity for people, as the case study has it, within 80 columns. */

import type { ParityFeature, ParityReport } from '../validate/parity/report.ts';
import { breakLine } from './fold-line.ts';

/** Features that are shown at length. */
const mostShown = 20;

export function formatParity(report: ParityReport): string {
  const { summary, features } = report;
  const failing = features.filter(({ result }) => result !== 'PASS');
  const lines = [
    ...headline(report),
    `sample size ${count(summary.pairs)} values of ${count(summary.rows)} rows, ${count(summary.features)} features`,
    ...(summary.differences === 0
      ? []
      : [
          `differences ${count(summary.differences)}, causes looked for in ${count(summary.examined)}: ${causesOf(summary.causes)}`,
        ]),
    '',
    ...table(features.slice(0, mostShown * 5)),
    ...failing.slice(0, mostShown).flatMap(describeFailing),
    ...summary.gone.map((name) => `${name}: served, and not defined any more`),
    ...summary.skipped.map(({ feature, reason }) => `${feature}: not compared, ${reason}`),
    '',
    `${report.result}  ${summary.passed} passed, ${summary.failed} failed, ${summary.no_data} without data (${summary.seconds.toFixed(1)} s)`,
    ...(summary.advice === null ? [] : [summary.advice]),
    `report ${report.id}`,
  ];
  return `${lines.flatMap((line) => breakLine(line)).join('\n')}\n`;
}

function headline({ mode, from, to, version }: ParityReport): readonly string[] {
  const period = from === null ? 'now' : `${from} to ${to}`;
  const what = { log: 'what was served', live: 'a sample of keys, online and offline', pairs: 'batch against stream' }[mode];
  return [`Parity of ${what}`, `${period}, version ${version} of the definitions`];
}

/** Columns: name, n, share within, mean and max error, correlation, result. */
function table(features: readonly ParityFeature[]): readonly string[] {
  const row = (name: string, ...cells: readonly string[]) =>
    `${name.length > 27 ? `${name.slice(0, 26)}…` : name.padEnd(27)}${cells.map((cell, at) => cell.padStart(widths[at] as number)).join('')}`;
  const widths = [8, 9, 10, 10, 8, 7];
  return [
    row('feature', 'n', 'within', 'mean err', 'max err', 'corr', ''),
    ...features.map((one) =>
      row(
        `${one.view}:${one.feature}`,
        String(one.n),
        one.share_within === null ? '-' : share(one.share_within),
        number(one.mean_abs_error),
        number(one.max_abs_error),
        one.pearson === null ? '-' : (Math.floor(one.pearson * 1e4) / 1e4).toFixed(4),
        one.result === 'NO DATA' ? 'NO DATA'.slice(0, 7) : one.result,
      ),
    ),
  ];
}

function describeFailing(one: ParityFeature): readonly string[] {
  const { n, within_tolerance: within, only_online_null: online, only_offline_null: offline } = one;
  if (n === 0) return [`${one.view}:${one.feature}: NO DATA, nothing of it was served`];
  const nulls = online + offline === 0 ? '' : `; null only online ${online}, only offline ${offline}`;
  const first = one.worst[0];
  return [
    `${one.view}:${one.feature}: ${count(n - within)} of ${count(n)} differ${nulls}`,
    ...(one.examined === 0 ? [] : [`  causes of ${one.examined}: ${causesOf(one.causes)}`]),
    ...(first === undefined
      ? []
      : [
          `  ${JSON.stringify(first.keys)} at ${first.evaluated_at}:`,
          `  online ${showSide(first.online)}, offline ${showSide(first.offline)}`,
          ...(first.evidence.text === '' ? [] : [`  ${first.evidence.text}`]),
        ]),
  ];
}

function causesOf(causes: Readonly<Record<string, number>>): string {
  const sorted = Object.entries(causes).toSorted(([, a], [, b]) => b - a);
  return sorted.length === 0 ? 'none' : sorted.map(([name, n]) => `${name} ${n}`).join(', ');
}

function showSide(side: unknown): string {
  const { value, status } = side as { readonly value: unknown; readonly status: string };
  return `${JSON.stringify(value)} (${status})`;
}

/** Rounded down: 98.9999 % is not 99 %. */
function share(value: number): string {
  return `${(Math.floor(value * 1e4) / 1e2).toFixed(2)} %`;
}

function number(value: number | string | null): string {
  if (value === null) return '-';
  return typeof value === 'string' ? value.slice(0, 9) : value === 0 ? '0' : value.toPrecision(3);
}

function count(value: number): string {
  return value.toLocaleString('en');
}
