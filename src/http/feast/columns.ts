/** Columns as Feast's clients send them: instants are naive UTC text or whole epoch seconds, and get the form that ours have. */
import { formatInstantUs } from '../../definitions/format-instant.ts';
import type { JsonColumns } from '../parts.ts';

/** The columns with every instant of `instants` in ISO with its offset; a text that has one stays as it is. */
export function restoreInstants(columns: JsonColumns, instants: ReadonlySet<string>): JsonColumns {
  return Object.fromEntries(
    Object.entries(columns).map(([name, values]) => [name, instants.has(name) ? values.map(restoreInstant) : values]),
  );
}

/** What is no instant in either form is left to be refused by its name and row. */
export function restoreInstant(value: unknown): unknown {
  if (typeof value === 'string') return /^\d{4}-\d\d-\d\d[T ][\d:.]+$/.test(value) ? `${value}Z` : value;
  if (typeof value === 'bigint') return formatInstantUs(value * 1_000_000n);
  return Number.isSafeInteger(value) ? formatInstantUs(BigInt(value as number) * 1_000_000n) : value;
}
