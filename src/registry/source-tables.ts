/** The tables of a source, each with the columns that its files have. */
import type { HistoryTableDocument, SourceDocument } from './document.ts';

/** One of a batch source; none, one or several of an event source. */
export function tablesOf(source: SourceDocument): readonly HistoryTableDocument[] {
  return source.tables ?? [{ ...source.table, columns: source.columns }];
}
