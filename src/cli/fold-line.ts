/** Text on lines that a terminal of 80 columns shows whole, as far as its parts allow. */

export const terminalWidth = 80;

/** Parts with a blank between them, on as many lines as it takes; those after the first begin with `indent`. */
export function foldLine(parts: readonly string[], width = terminalWidth, indent = ''): string[] {
  const lines: string[] = [];
  let line: string | undefined;
  for (const part of parts) {
    if (line === undefined) line = part;
    else if (line.length + 1 + part.length <= width) line += ` ${part}`;
    else {
      lines.push(line);
      line = `${indent}${part}`;
    }
  }
  return [...lines, line ?? ''];
}

/** A line on as many as it takes, broken at blanks if it has any; those after the first are indented. */
export function breakLine(line: string, width = terminalWidth - 1): string[] {
  if (line.length <= width) return [line];
  const at = line.lastIndexOf(' ', width);
  const cut = at > 10 ? at : width;
  return [line.slice(0, cut), ...breakLine(`    ${line.slice(cut).trimStart()}`, width)];
}
