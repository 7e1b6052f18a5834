/** Values as codes: the place of each in the order of all different values, so that equal ones are equal and greater ones greater. */
import type { Column } from '../../arrow/column.ts';
import { layoutOf } from '../../arrow/layout.ts';
import { int32View } from '../../arrow/typed-view.ts';
import type { LiteralValue } from '../../definitions/literal.ts';
import { compareValues } from '../../definitions/value-order.ts';
import type { ValueType } from '../../definitions/value-type.ts';
import { literalReader } from '../literal-column.ts';
import type { BucketEvents, Chosen } from './bucket-events.ts';

export interface Codes {
  /** By chosen event. */
  readonly codes: Int32Array;
  /** By code the row of an event that has the value. */
  readonly samples: Int32Array;
}

/** The codes of an expression's values, of events none of whose values is null. */
export function codesOf(events: BucketEvents, chosen: Chosen, expression: number): Codes {
  return events.keep(`codes ${expression} of ${chosen.name}`, () => {
    const type = events.type(expression);
    const column = events.column(expression);
    const { codes, samples } = assign(column, type, chosen.rows);
    const read = literalReader(column, type);
    const values = Array.from(samples, (row) => read(row) as LiteralValue);
    const order = Int32Array.from(values.keys()).sort((a, b) => compareValues(type, values[a], values[b]));
    const rank = new Int32Array(order.length);
    // What the bits tell apart may still be equal: zeros, and numbers that are none.
    let count = 0;
    const ordered = new Int32Array(order.length);
    for (const [at, code] of order.entries()) {
      const isNew = at === 0 || compareValues(type, values[order[at - 1] as number], values[code]) !== 0;
      if (isNew) ordered[count++] = samples[code] as number;
      rank[code] = count - 1;
    }
    for (let at = 0; at < codes.length; at++) codes[at] = rank[codes[at] as number] as number;
    return { codes, samples: ordered.slice(0, count) };
  });
}

/** Codes in the order in which values first occur, by their bits or by what they are written as. */
function assign(column: Column, type: ValueType, rows: Int32Array): Codes {
  const layout = layoutOf(column.field);
  const data = column.buffers[0] as Uint8Array;
  if (layout.kind === 'fixed' && (layout.bytes === 4 || layout.bytes === 8)) {
    return assignWords(int32View(data), layout.bytes / 4, rows);
  }
  if (layout.kind === 'text' && layout.bytes === 4) return assignBytes(int32View(data), column.buffers[1] as Uint8Array, rows);
  const read = literalReader(column, type);
  const known = new Map<string, number>();
  const codes = new Int32Array(rows.length);
  const samples: number[] = [];
  for (let at = 0; at < rows.length; at++) {
    const text = writeValue(read(rows[at] as number));
    let code = known.get(text);
    if (code === undefined) {
      code = samples.push(rows[at] as number) - 1;
      known.set(text, code);
    }
    codes[at] = code;
  }
  return { codes, samples: Int32Array.from(samples) };
}

/** One text a value. */
function writeValue(value: LiteralValue): string {
  if (Array.isArray(value)) return `[${value.map((item) => `${typeof item} ${JSON.stringify(writeValue(item))}`).join(',')}]`;
  return value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : String(value);
}

/** A table of codes + 1 by hash, grown while it fills. */
interface Table {
  slots: Int32Array;
  samples: Int32Array;
  hashes: Int32Array;
  count: number;
}

const newTable = (): Table => ({
  slots: new Int32Array(1024),
  samples: new Int32Array(512),
  hashes: new Int32Array(512),
  count: 0,
});

function add(table: Table, slot: number, hash: number, row: number): number {
  const code = table.count++;
  table.slots[slot] = code + 1;
  table.samples[code] = row;
  table.hashes[code] = hash;
  if (table.count === table.samples.length) grow(table);
  return code;
}

function grow(table: Table): void {
  const { samples, hashes, count } = table;
  table.samples = new Int32Array(2 * count);
  table.samples.set(samples);
  table.hashes = new Int32Array(2 * count);
  table.hashes.set(hashes);
  table.slots = new Int32Array(4 * count);
  const mask = table.slots.length - 1;
  for (let code = 0; code < count; code++) {
    let slot = (hashes[code] as number) & mask;
    while (table.slots[slot] !== 0) slot = (slot + 1) & mask;
    table.slots[slot] = code + 1;
  }
}

function assignWords(words: Int32Array, width: number, rows: Int32Array): Codes {
  const codes = new Int32Array(rows.length);
  const table = newTable();
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at] as number;
    const low = words[width * row] as number;
    const high = width === 2 ? (words[2 * row + 1] as number) : 0;
    const hash = mix(low ^ mix(high));
    const { slots, samples } = table;
    let slot = hash & (slots.length - 1);
    let code = (slots[slot] as number) - 1;
    while (code >= 0) {
      const sample = samples[code] as number;
      if (words[width * sample] === low && (width === 1 || words[2 * sample + 1] === high)) break;
      slot = (slot + 1) & (slots.length - 1);
      code = (slots[slot] as number) - 1;
    }
    codes[at] = code >= 0 ? code : add(table, slot, hash, row);
  }
  return { codes, samples: table.samples.slice(0, table.count) };
}

function assignBytes(offsets: Int32Array, data: Uint8Array, rows: Int32Array): Codes {
  const codes = new Int32Array(rows.length);
  const table = newTable();
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at] as number;
    const from = offsets[row] as number;
    const to = offsets[row + 1] as number;
    let hash = to - from;
    for (let byte = from; byte < to; byte++) hash = Math.imul(hash ^ (data[byte] as number), 0x0100_0193);
    hash = mix(hash);
    const { slots, samples } = table;
    let slot = hash & (slots.length - 1);
    let code = (slots[slot] as number) - 1;
    while (code >= 0 && !isSame(offsets, data, from, to, samples[code] as number)) {
      slot = (slot + 1) & (slots.length - 1);
      code = (slots[slot] as number) - 1;
    }
    codes[at] = code >= 0 ? code : add(table, slot, hash, row);
  }
  return { codes, samples: table.samples.slice(0, table.count) };
}

function isSame(offsets: Int32Array, data: Uint8Array, from: number, to: number, sample: number): boolean {
  let other = offsets[sample] as number;
  if ((offsets[sample + 1] as number) - other !== to - from) return false;
  for (let byte = from; byte < to; byte++) if (data[byte] !== data[other++]) return false;
  return true;
}

function mix(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x7feb_352d);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x846c_a68b | 0);
  return mixed ^ (mixed >>> 16);
}
