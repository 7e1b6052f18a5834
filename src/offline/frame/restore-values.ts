/** The buffers of a column's values in another type of the same values; `refuse` is for a value that the other type does not have. */
import type { Column } from '../../arrow/column.ts';

export type RestoreValues = (column: Column, refuse: () => never) => readonly Uint8Array[];
