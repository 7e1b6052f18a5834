/** An event source with a column of every type, for tests of decoding. */
import type { SourceDocument } from '../../../src/registry/document.ts';

export const allTypes = {
  user_id: 'int64',
  kind: 'string',
  flag: 'bool',
  small: 'int32',
  ratio: 'float64',
  share: 'float32',
  price: 'decimal(9,2)',
  day: 'date',
  seen_at: 'timestamp',
  raw: 'bytes',
  tags: 'list(string)',
  embedding: 'vector(float32,2)',
} as const;

export function eventSourceDocument(
  columns: Readonly<Record<string, string>> = allTypes,
  options: Partial<SourceDocument> = {},
): SourceDocument {
  return {
    name: 'clicks',
    kind: 'event',
    table: { format: 'parquet', paths: [], hivePartitioning: false, options: {} },
    eventTimestamp: 'at',
    columns: [],
    events: {
      columns: Object.entries(columns).map(([name, type]) =>
        name === 'kind' ? { name, type, values: ['view', 'click'] } : { name, type },
      ),
    },
    tags: {},
    file: 'clicks.ts',
    ...options,
  };
}
