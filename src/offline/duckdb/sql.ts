/** The one room in which SQL text is quoted; everything else composes what these functions return. */

/** An identifier in double quotes: any name is safe. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A string literal in single quotes: any text is safe but one with a NUL, which no path or option holds. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** Paths as a list literal of patterns that match these files alone: DuckDB's readers take every path for a pattern. */
export function quoteFiles(paths: readonly string[]): string {
  return quoteTexts(paths.map(escapePattern));
}

/** The pattern that matches one path alone. */
export function escapePattern(path: string): string {
  return path.replace(/[*?[]/g, '[$&]');
}

/** A list literal of strings. */
function quoteTexts(texts: readonly string[]): string {
  return `[${texts.map(quoteText).join(', ')}]`;
}

/** An option value of a table function. */
export function quoteOption(value: string | number | boolean): string {
  return typeof value === 'string' ? quoteText(value) : String(value);
}

/**
 * A lambda over the elements of a list. Its parameter has a name that no column has: DuckDB would take the column. `depth` tells
 * a lambda from those around it.
 */
export function compileLambda(depth: number, body: (element: string) => string): string {
  const element = quoteName(`~ element ${depth} ~`);
  return `lambda ${element}: ${body(element)}`;
}
