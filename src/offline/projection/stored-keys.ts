/** The keys of a projection's rows, out of the columns in which they are stored. */
import type { Column } from '../../arrow/column.ts';
import type { ViewDocument } from '../../registry/document.ts';
import { readKeys } from '../frame/read-keys.ts';
import type { Keys } from './keys.ts';

/** `columns` are those of the view's keys, in its order; integers and booleans are stored as int64. */
export function readStoredKeys(view: ViewDocument, columns: readonly Column[], rows: number): Keys {
  const types = view.keys.map((key) => (key.type === 'string' || key.type === 'bytes' ? key.type : 'int64'));
  const places = view.keys.map((key) => ({ joinKey: key.name, column: key.column, firstRow: 0 }));
  return readKeys(columns, types, places, rows);
}
