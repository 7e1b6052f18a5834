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
  readonly metadata: Metadata;
}

export interface Schema {
  readonly fields: readonly Field[];
  readonly metadata: Metadata;
}

/** Key-value metadata. A value is bytes only where its writer put there what is not UTF-8, as pickled extension types do. */
export type Metadata = ReadonlyMap<string, string | Uint8Array>;

/** A field with the usual settings: nullable, no metadata, no dictionary. */
export function field(name: string, type: ArrowType, children: readonly Field[] = []): Field {
  return { name, type, nullable: true, children, metadata: new Map() };
}

/** A field's type as people write it: `timestamp[us, UTC]`, `list<int64>`, `dictionary<int32, utf8>`. */
export function formatType(field: Field): string {
  const value = formatValueType(field);
  if (!field.dictionary) return value;
  return `dictionary<${field.dictionary.indexSigned ? '' : 'u'}int${field.dictionary.indexBits}, ${value}>`;
}

function formatValueType(field: Field): string {
  const type = field.type;
  const inner = field.children.map(formatType).join(', ');
  switch (type.id) {
    case 'int':
      return `${type.signed ? '' : 'u'}int${type.bits}`;
    case 'float':
      return `float${type.bits}`;
    case 'decimal':
      return `decimal${type.bits}(${type.precision}, ${type.scale})`;
    case 'fixedSizeBinary':
      return `fixedSizeBinary[${type.width}]`;
    case 'date':
      return `date${type.unit === 'day' ? 32 : 64}`;
    case 'time':
      return `time${type.bits}[${type.unit}]`;
    case 'timestamp':
      return `timestamp[${type.unit}${type.timezone === undefined ? '' : `, ${type.timezone}`}]`;
    case 'duration':
    case 'interval':
      return `${type.id}[${type.unit}]`;
    case 'fixedSizeList':
      return `fixedSizeList<${inner}>[${type.size}]`;
    case 'struct':
      return `struct<${field.children.map((child) => `${child.name}: ${formatType(child)}`).join(', ')}>`;
    case 'union':
      return `${type.mode}Union<${inner}>`;
    default:
      return field.children.length === 0 ? type.id : `${type.id}<${inner}>`;
  }
}
