/** Rows as text in columns, for terminals and pipes. */

/** Lines with a heading and columns as wide as their widest cell; `headings` are the columns' names in capitals if not given. */
export function printTable(
  columns: readonly string[],
  rows: readonly Readonly<Record<string, unknown>>[],
  headings = columns.map((column) => column.toUpperCase()),
): string {
  const cells = [headings, ...rows.map((row) => columns.map((column) => printValue(row[column])))];
  const widths = columns.map((_, index) => Math.max(...cells.map((line) => (line[index] as string).length)));
  return cells
    .map(
      (line) =>
        `${line
          .map((cell, index) => cell.padEnd(widths[index] as number))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
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
