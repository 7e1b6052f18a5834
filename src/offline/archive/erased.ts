/** Rows of erased entities, as the archive knows them: by the values of columns (rule 8.4). */
import { quoteName, quoteText } from '../duckdb/sql.ts';

/** What a key is in a row: long text and bytes are known by their sha256 alone, in hexadecimal digits. */
export type ErasedValue =
  | { readonly kind: 'integer'; readonly value: bigint }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'bytes'; readonly value: Uint8Array }
  | { readonly kind: 'stringDigest' | 'bytesDigest'; readonly value: string };

/** The rows in which every one of these columns has its value. */
export type ErasedRows = readonly { readonly column: string; readonly value: ErasedValue }[];

/** The rows of a source that are to be left out, by what is erased now: the very same list as long as nothing has changed. */
export type ReadErasedRows = (source: string) => Promise<readonly ErasedRows[]>;

/**
 * A condition, for a `where` or a filter, that is true of erased rows alone, over a table with these columns; undefined where no such row can be in it. Null keys
 * belong to nobody, so that the condition may be null.
 */
export function compileErased(erased: readonly ErasedRows[], columns: readonly string[]): string | undefined {
  const known = new Set(columns);
  const lists = new Map<string, string[]>();
  for (const rows of erased) {
    if (!rows.every(({ column }) => known.has(column))) continue;
    const tested = asTuple(rows.map(({ column, value }) => compileColumn(quoteName(column), value.kind)));
    const literals = lists.get(tested) ?? [];
    lists.set(tested, literals);
    literals.push(`(${rows.map(({ value }) => compileValue(value)).join(', ')})`);
  }
  if (lists.size === 0) return undefined;
  // As a table, which is looked up by hash: a list would be gone through for every row.
  const conditions = [...lists].map(([tested, literals]) => `${tested} in (from (values ${literals.sort().join(', ')}))`);
  return conditions.sort().join(' or ');
}

function asTuple(parts: readonly string[]): string {
  return parts.length === 1 ? (parts[0] as string) : `(${parts.join(', ')})`;
}

function compileColumn(column: string, kind: ErasedValue['kind']): string {
  switch (kind) {
    case 'integer':
      return `try_cast(${column} as bigint)`;
    case 'bool':
      return `try_cast(${column} as boolean)`;
    case 'string':
      return `encode(try_cast(${column} as varchar))`;
    case 'bytes':
      return `try_cast(${column} as blob)`;
    case 'stringDigest':
      return `sha256(encode(try_cast(${column} as varchar)))`;
    case 'bytesDigest':
      return `sha256(try_cast(${column} as blob))`;
  }
}

function compileValue({ kind, value }: ErasedValue): string {
  switch (kind) {
    case 'integer':
      return `(${value})::bigint`;
    case 'bool':
      return String(value);
    case 'string':
    case 'bytes':
      return `unhex(${quoteText(Buffer.from(value).toString('hex'))})`;
    case 'stringDigest':
    case 'bytesDigest':
      return quoteText(value);
  }
}
