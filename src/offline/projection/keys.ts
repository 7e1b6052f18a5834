/** Keys of many rows in one of three compact forms, and their hashes. */
import { checkTotal } from '../../arrow/take.ts';

/**
 * `int`: one integer or bool key, two little-endian 32-bit words a row. `bytes`: one string or bytes key, or several keys
 * encoded together. `none`: a view without entities. `nulls[row]` is 1 where any part of the key is null.
 */
export type Keys =
  | { readonly kind: 'int'; readonly length: number; readonly words: Int32Array; readonly nulls?: Uint8Array }
  | {
      readonly kind: 'bytes';
      readonly length: number;
      readonly offsets: Int32Array;
      readonly data: Uint8Array;
      readonly nulls?: Uint8Array;
    }
  | { readonly kind: 'none'; readonly length: number; readonly nulls?: undefined };

/** One 32-bit hash a row; the same in every version of a projection, as its buckets are chosen by it. */
export function hashKeys(keys: Keys): Int32Array {
  const hashes = new Int32Array(keys.length);
  if (keys.kind === 'int') {
    const { words } = keys;
    for (let row = 0; row < hashes.length; row++) {
      hashes[row] = mix((words[2 * row] as number) ^ Math.imul(words[2 * row + 1] as number, 0x9e3779b1));
    }
  } else if (keys.kind === 'bytes') {
    const { offsets, data } = keys;
    for (let row = 0; row < hashes.length; row++) {
      const end = offsets[row + 1] as number;
      let hash = 0x811c9dc5;
      for (let at = offsets[row] as number; at < end; at++) hash = Math.imul(hash ^ (data[at] as number), 0x01000193);
      hashes[row] = mix(hash);
    }
  }
  return hashes;
}

/** Whether row `a` of one and row `b` of another column of keys are the same key; both have the same kind. */
export function sameKey(left: Keys, a: number, right: Keys, b: number): boolean {
  if (left.kind === 'int' && right.kind === 'int') {
    return left.words[2 * a] === right.words[2 * b] && left.words[2 * a + 1] === right.words[2 * b + 1];
  }
  if (left.kind === 'bytes' && right.kind === 'bytes') {
    const start = left.offsets[a] as number;
    const length = (left.offsets[a + 1] as number) - start;
    const other = right.offsets[b] as number;
    if ((right.offsets[b + 1] as number) - other !== length) return false;
    for (let at = 0; at < length; at++) if (left.data[start + at] !== right.data[other + at]) return false;
    return true;
  }
  return left.kind === 'none' && right.kind === 'none';
}

/**
 * Several key columns as one of kind `bytes`: a part of 64-bit words is written as its 8 bytes, a part of bytes as its length
 * in 4 bytes and itself, so that no two different keys share an encoding.
 */
export function combineKeys(parts: readonly Keys[], length: number): Keys {
  if (parts.length === 0) return { kind: 'none', length };
  if (parts.length === 1) return parts[0] as Keys;
  const offsets = new Int32Array(length + 1);
  let nulls: Uint8Array | undefined;
  for (const part of parts) {
    if (part.nulls === undefined) continue;
    nulls ??= new Uint8Array(length);
    for (let row = 0; row < length; row++) nulls[row] = (nulls[row] as number) | (part.nulls[row] as number);
  }
  let total = 0;
  for (let row = 0; row < length; row++) {
    let size = 0;
    for (const part of parts) {
      if (part.kind === 'int') size += 8;
      else if (part.kind === 'bytes') size += 4 + (part.offsets[row + 1] as number) - (part.offsets[row] as number);
    }
    total += size;
    offsets[row + 1] = total;
  }
  checkTotal('keys', total);
  const data = new Uint8Array(offsets[length] as number);
  const cursor = offsets.slice(0, length);
  for (const part of parts) {
    if (part.kind === 'int') writeWords(part.words, data, cursor);
    else if (part.kind === 'bytes') writeBytes(part.offsets, part.data, data, cursor);
  }
  return { kind: 'bytes', length, offsets, data, nulls };
}

/** One of the columns of which keys consist, none of them null: 64-bit words as in `Keys`, or bytes by where each starts and ends. */
export type KeyColumn =
  | { readonly kind: 'int'; readonly words: Int32Array }
  | { readonly kind: 'bytes'; readonly data: Uint8Array; readonly starts: Int32Array; readonly ends: Int32Array };

/** The columns out of which combineKeys made the keys, of the kinds given. */
export function splitKeys(keys: Keys, kinds: readonly KeyColumn['kind'][]): KeyColumn[] {
  if (keys.kind === 'none') return [];
  if (keys.kind === 'int') return [keys];
  const { length, offsets, data } = keys;
  if (kinds.length === 1) return [{ kind: 'bytes', data, starts: offsets.subarray(0, length), ends: offsets.subarray(1) }];
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const cursor = offsets.slice(0, length);
  return kinds.map((kind): KeyColumn => {
    if (kind === 'int') {
      const words = new Int32Array(2 * length);
      for (let row = 0; row < length; row++) {
        const at = cursor[row] as number;
        words[2 * row] = view.getInt32(at, true);
        words[2 * row + 1] = view.getInt32(at + 4, true);
        cursor[row] = at + 8;
      }
      return { kind, words };
    }
    const starts = new Int32Array(length);
    for (let row = 0; row < length; row++) {
      const at = cursor[row] as number;
      starts[row] = at + 4;
      cursor[row] = at + 4 + view.getInt32(at, true);
    }
    return { kind, data, starts, ends: cursor.slice() };
  });
}

function writeWords(words: Int32Array, data: Uint8Array, cursor: Int32Array): void {
  const source = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
  for (let row = 0; row < cursor.length; row++) {
    const at = cursor[row] as number;
    for (let byte = 0; byte < 8; byte++) data[at + byte] = source[8 * row + byte] as number;
    cursor[row] = at + 8;
  }
}

function writeBytes(offsets: Int32Array, source: Uint8Array, data: Uint8Array, cursor: Int32Array): void {
  for (let row = 0; row < cursor.length; row++) {
    const start = offsets[row] as number;
    const length = (offsets[row + 1] as number) - start;
    let at = cursor[row] as number;
    for (let byte = 0; byte < 4; byte++) data[at++] = (length >>> (8 * byte)) & 255;
    for (let byte = 0; byte < length; byte++) data[at++] = source[start + byte] as number;
    cursor[row] = at;
  }
}

function mix(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

/** The keys of some rows, in the order given. */
export function takeKeys(keys: Keys, rows: Int32Array): Keys {
  const nulls = keys.nulls && Uint8Array.from(rows, (row) => (keys.nulls as Uint8Array)[row] as number);
  if (keys.kind === 'none') return { kind: 'none', length: rows.length };
  if (keys.kind === 'int') {
    const words = new Int32Array(2 * rows.length);
    for (let at = 0; at < rows.length; at++) {
      words[2 * at] = keys.words[2 * (rows[at] as number)] as number;
      words[2 * at + 1] = keys.words[2 * (rows[at] as number) + 1] as number;
    }
    return { kind: 'int', length: rows.length, words, nulls };
  }
  const offsets = new Int32Array(rows.length + 1);
  let total = 0;
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at] as number;
    total += (keys.offsets[row + 1] as number) - (keys.offsets[row] as number);
    offsets[at + 1] = total;
  }
  checkTotal('keys', total);
  const data = new Uint8Array(offsets[rows.length] as number);
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at] as number;
    data.set(keys.data.subarray(keys.offsets[row], keys.offsets[row + 1]), offsets[at]);
  }
  return { kind: 'bytes', length: rows.length, offsets, data, nulls };
}

/** Keys of the same kind one after another. */
export function concatKeys(parts: readonly Keys[]): Keys {
  if (parts.length === 1) return parts[0] as Keys;
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const nulls = parts.some((part) => part.nulls !== undefined) ? new Uint8Array(length) : undefined;
  let at = 0;
  for (const part of parts) {
    if (part.nulls !== undefined) nulls?.set(part.nulls, at);
    at += part.length;
  }
  const [first] = parts;
  if (first === undefined || first.kind === 'none') return { kind: 'none', length };
  if (first.kind === 'int') {
    const words = new Int32Array(2 * length);
    at = 0;
    for (const part of parts as readonly Extract<Keys, { kind: 'int' }>[]) {
      words.set(part.words, 2 * at);
      at += part.length;
    }
    return { kind: 'int', length, words, nulls };
  }
  const bytes = parts as readonly Extract<Keys, { kind: 'bytes' }>[];
  const sizes = bytes.map((part) => (part.offsets[part.length] as number) - (part.offsets[0] as number));
  const offsets = new Int32Array(length + 1);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  checkTotal('keys', total);
  const data = new Uint8Array(total);
  let row = 0;
  let cursor = 0;
  for (const [index, part] of bytes.entries()) {
    const start = part.offsets[0] as number;
    data.set(part.data.subarray(start, start + (sizes[index] as number)), cursor);
    for (let local = 0; local < part.length; local++) offsets[row++] = cursor + (part.offsets[local] as number) - start;
    cursor += sizes[index] as number;
  }
  offsets[length] = cursor;
  return { kind: 'bytes', length, offsets, data, nulls };
}
