/** A leak audit for people, within 80 columns. */
import type { AuditedColumn, LeakReport } from '../validate/leaks/report.ts';
import { breakLine } from './fold-line.ts';

export function formatLeaks(report: LeakReport): string {
  const { features, labels, unmapped, not_examined: unknown, from, to } = report;
  const period = from === null ? 'no row has a time' : `${from} to ${to}`;
  const lines = [
    `Leak audit of ${count(report.rows)} rows${report.of === report.rows ? '' : ` of ${count(report.of)}`}`,
    period,
    '',
    ...table(features),
    ...features.filter(({ text }) => text !== '').flatMap(describe),
    ...labels.map(({ text }) => `label given away: ${text}`),
    ...unmapped.map(({ column, text }) => `${column}: not audited, ${text}`),
    ...unknown.map(({ what, text }) => `not examined: ${what}, ${text}`),
    '',
    `${report.result}  ${report.summary}`,
    `report ${report.id}`,
  ];
  return `${lines.flatMap((line) => breakLine(line)).join('\n')}\n`;
}

const widths = [8, 8, 8, 11, 9];

function table(features: readonly AuditedColumn[]): readonly string[] {
  const row = (name: string, ...cells: readonly string[]) =>
    `${name.length > 30 ? `${name.slice(0, 29)}…` : name.padEnd(30)}${cells.map((cell, at) => cell.padStart(widths[at] as number)).join('')}`;
  return [
    row('column', 'rows', 'agree', 'leak', 'hindsight', 'result'),
    ...features.map((one) =>
      row(
        one.column,
        String(one.rows),
        String(one.agree),
        String(one.leak_rows),
        one.hindsight_rows === null ? '?' : String(one.hindsight_rows),
        one.result,
      ),
    ),
  ];
}

function describe({ column, verdict, text, reach_seconds: reach, examples }: AuditedColumn): readonly string[] {
  const ahead = reach === null ? '' : `; up to ${spell(reach)} ahead`;
  const [first] = verdict === 'clean' ? [] : examples;
  const shown =
    first === undefined
      ? []
      : [`  ${JSON.stringify(first.keys)} at ${first.event_timestamp}:`, `  ${first.value}, known then ${first.truth}`];
  return [`${column}: ${verdict === 'clean' ? '' : `${verdict}, `}${text}${ahead}`, ...shown];
}

function spell(seconds: number): string {
  if (seconds < 1) return `${seconds * 1e6} µs`;
  if (seconds < 7200) return `${seconds.toFixed(0)} s`;
  return seconds < 172_800 ? `${(seconds / 3600).toFixed(1)} h` : `${(seconds / 86_400).toFixed(1)} d`;
}

function count(value: number): string {
  return value.toLocaleString('en');
}
