/** Arrow schemas as plain frozen values: every type of the format, so that a frame's own columns can pass through unread. */

export type TimeUnit = 's' | 'ms' | 'us' | 'ns';

export type ArrowType =
  | { readonly id: 'null' }
  | { readonly id: 'bool' }
  | { readonly id: 'int'; readonly bits: 8 | 16 | 32 | 64; readonly signed: boolean }
  | { readonly id: 'float'; readonly bits: 16 | 32 | 64 }
  | { readonly id: 'decimal'; readonly bits: 32 | 64 | 128 | 256; readonly precision: number; readonly scale: number }
  | { readonly id: 'utf8' | 'largeUtf8' | 'utf8View' | 'binary' | 'largeBinary' | 'binaryView' }
  | { readonly id: 'fixedSizeBinary'; readonly width: number }
  | { readonly id: 'date'; readonly unit: 'day' | 'ms' }
  | { readonly id: 'time'; readonly unit: TimeUnit; readonly bits: 32 | 64 }
  | { readonly id: 'timestamp'; readonly unit: TimeUnit; readonly timezone?: string }
  | { readonly id: 'duration'; readonly unit: TimeUnit }
  | { readonly id: 'interval'; readonly unit: 'yearMonth' | 'dayTime' | 'monthDayNano' }
  | { readonly id: 'list' | 'largeList' | 'listView' | 'largeListView' | 'struct' | 'runEndEncoded' }
  | { readonly id: 'fixedSizeList'; readonly size: number }
  | { readonly id: 'map'; readonly keysSorted: boolean }
  | { readonly id: 'union'; readonly mode: 'sparse' | 'dense'; readonly typeIds: readonly number[] };

/** `type` is the value type; where `dictionary` is present the column holds indices into that dictionary. */
export interface Field {
  readonly name: string;
  readonly type: ArrowType;
  readonly nullable: boolean;
  readonly children: readonly Field[];
  readonly dictionary?: {
    readonly id: bigint;
    readonly indexBits: 8 | 16 | 32 | 64;
    readonly indexSigned: boolean;
    readonly ordered: boolean;
  };
  readonly metadata: ReadonlyMap<string, string>;
}

export interface Schema {
  readonly fields: readonly Field[];
  readonly metadata: ReadonlyMap<string, string>;
}

/** A field with the usual settings: nullable, no metadata, no dictionary. */
export function field(name: string, type: ArrowType, children: readonly Field[] = []): Field {
  return { name, type, nullable: true, children, metadata: new Map() };
}
