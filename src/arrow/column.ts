/** A column of Arrow data: the buffers of its layout, in the order in which IPC writes them. */
import type { Field } from './schema.ts';

/**
 * `buffers` are exactly the layout's buffers after the validity bitmap (bool, fixed width: [data]; utf8, binary: [offsets, data];
 * list: [offsets]; struct, fixed-size list, null: []; views: [views, ...data]; a dictionary column: [indices]), each starting at
 * byte 0 of row 0. `validity` is absent when no value is null. Bits are least significant first, as in the format.
 */
export interface Column {
  readonly field: Field;
  readonly length: number;
  readonly nullCount: number;
  readonly validity?: Uint8Array;
  readonly buffers: readonly Uint8Array[];
  readonly children: readonly Column[];
}
