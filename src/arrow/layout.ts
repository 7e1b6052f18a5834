/** Which buffers a field's values stand in: the one place that maps Arrow's types to their physical layouts. */
import type { Field } from './schema.ts';

/**
 * `bytes` counts the width of one value or one offset. `none` has no buffer at all; `list` covers maps; `runs` is run-end encoding.
 * Only `none`, the unions and `runs` have no validity bitmap.
 */
export type Layout =
  | { readonly kind: 'none' | 'bits' | 'views' | 'struct' | 'sparseUnion' | 'denseUnion' | 'runs' }
  | { readonly kind: 'fixed'; readonly bytes: number }
  | { readonly kind: 'text' | 'list' | 'listView'; readonly bytes: 4 | 8 }
  | { readonly kind: 'fixedList'; readonly size: number };

/** The layout of a field's column; a dictionary field's column holds its indices. */
export function layoutOf(field: Field): Layout {
  if (field.dictionary) return fixed(field.dictionary.indexBits / 8);
  const type = field.type;
  switch (type.id) {
    case 'null':
      return { kind: 'none' };
    case 'bool':
      return { kind: 'bits' };
    case 'int':
    case 'float':
    case 'decimal':
    case 'time':
      return fixed(type.bits / 8);
    case 'fixedSizeBinary':
      return fixed(type.width);
    case 'date':
      return fixed(type.unit === 'day' ? 4 : 8);
    case 'timestamp':
    case 'duration':
      return fixed(8);
    case 'interval':
      return fixed({ yearMonth: 4, dayTime: 8, monthDayNano: 16 }[type.unit]);
    case 'utf8':
    case 'binary':
      return { kind: 'text', bytes: 4 };
    case 'largeUtf8':
    case 'largeBinary':
      return { kind: 'text', bytes: 8 };
    case 'utf8View':
    case 'binaryView':
      return { kind: 'views' };
    case 'list':
    case 'map':
      return { kind: 'list', bytes: 4 };
    case 'largeList':
      return { kind: 'list', bytes: 8 };
    case 'listView':
      return { kind: 'listView', bytes: 4 };
    case 'largeListView':
      return { kind: 'listView', bytes: 8 };
    case 'fixedSizeList':
      return { kind: 'fixedList', size: type.size };
    case 'struct':
      return { kind: 'struct' };
    case 'union':
      return { kind: type.mode === 'sparse' ? 'sparseUnion' : 'denseUnion' };
    case 'runEndEncoded':
      return { kind: 'runs' };
  }
}

/** Whether columns of this layout carry a validity bitmap. */
export function hasValidity(layout: Layout): boolean {
  return layout.kind !== 'none' && layout.kind !== 'sparseUnion' && layout.kind !== 'denseUnion' && layout.kind !== 'runs';
}

/** How many columns stand below one of this field; a dictionary's indices have none. */
export function childFields(field: Field): readonly Field[] {
  return field.dictionary ? [] : field.children;
}

function fixed(bytes: number): Layout {
  return { kind: 'fixed', bytes };
}
