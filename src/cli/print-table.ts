/** Rows as text in columns, for terminals and pipes. */

import { foldLine } from './fold-line.ts';

/**
 * Lines with a heading and columns as wide as their widest cell; `headings` are the columns' names in capitals if not given. With a `width`
 * cells are broken between words, those of the widest columns first, as far as it takes for the table to fit.
 */
export function printTable(
  columns: readonly string[],
  rows: readonly Readonly<Record<string, unknown>>[],
  headings = columns.map((column) => column.toUpperCase()),
  width = Number.POSITIVE_INFINITY,
): string {
  const cells = [headings, ...rows.map((row) => columns.map((column) => printValue(row[column])))];
  const widths = fitWidths(cells, width);
  return cells
    .flatMap((line) => foldCells(line, widths))
    .map(
      (line) =>
        `${line
          .map((cell, index) => cell.padEnd(widths[index] as number))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

/** A column is never narrower than its longest word. */
function fitWidths(cells: readonly (readonly string[])[], width: number): number[] {
  const columns = [...(cells[0] as readonly string[]).keys()];
  const longest = (of: (cell: string) => number) => columns.map((at) => Math.max(...cells.map((line) => of(line[at] as string))));
  const widths = longest((cell) => cell.length);
  const least = longest((cell) => Math.max(...cell.split(' ').map((word) => word.length)));
  const whole = () => widths.reduce((sum, one) => sum + one, 2 * (widths.length - 1));
  while (whole() > width) {
    const [widest] = columns
      .filter((at) => (widths[at] as number) > (least[at] as number))
      .sort((a, b) => (widths[b] as number) - (widths[a] as number));
    if (widest === undefined) break;
    widths[widest] = (widths[widest] as number) - 1;
  }
  return widths;
}

/** A row on as many lines as its longest cell takes. */
function foldCells(line: readonly string[], widths: readonly number[]): string[][] {
  const folded = line.map((cell, at) => foldLine(cell.split(' '), widths[at]));
  const height = Math.max(...folded.map(({ length }) => length));
  return Array.from({ length: height }, (_, row) => folded.map((cell) => cell[row] ?? ''));
}

/** One value as text: lists by commas, maps as `name: value`, nothing for null. */
export function printValue(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(printValue).join(', ');
  if (typeof value !== 'object') return String(value);
  return Object.entries(value)
    .map(([name, item]) => `${name}: ${printValue(item)}`)
    .join(', ');
}
