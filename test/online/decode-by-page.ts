/** A decoder of the online store written from docs/reference/online-encoding.md alone; it shares no code with src. */

export interface PageKey {
  readonly project: string;
  readonly joinKeys: readonly string[];
  /** A bigint, boolean, string or hex of bytes; `sha256:…` where only the digest stands there. */
  readonly values: readonly (bigint | boolean | string)[];
}

export interface PageRow {
  readonly schema: string;
  readonly erased?: bigint;
  readonly pushed?: boolean;
  readonly event?: bigint;
  readonly created?: bigint | null;
  readonly available?: bigint | null;
  readonly values?: Record<string, unknown>;
}

export interface PageSchema {
  readonly view: string;
  readonly features: readonly { readonly name: string; readonly type: string; readonly hash: string }[];
}

interface Reader {
  readonly bytes: readonly number[];
  at: number;
}

export function decodeKeyByPage(key: Uint8Array): PageKey | undefined {
  const bytes = [...key];
  const zero = bytes.indexOf(0);
  if (bytes[zero + 1] !== 2) return undefined;
  const reader: Reader = { bytes, at: zero + 2 };
  const count = Number(varint(reader));
  const joinKeys: string[] = [];
  for (let i = 0; i < count; i++) joinKeys.push(text(reader));
  const values: (bigint | boolean | string)[] = [];
  for (let i = 0; i < count; i++) {
    const tag = byte(reader);
    if (tag === 1) values.push(zigzag(reader));
    else if (tag === 2) values.push(byte(reader) === 1);
    else if (tag === 3) values.push(text(reader));
    else if (tag === 4) values.push(hex(some(reader, Number(varint(reader)))));
    else values.push(`sha256:${hex(some(reader, 32))}`);
  }
  if (reader.at !== bytes.length) throw new Error('bytes are left over');
  return { project: utf8(bytes.slice(0, zero)), joinKeys, values };
}

export function decodeValueByPage(value: Uint8Array, schemas: (name: string) => PageSchema): PageRow[] {
  const reader: Reader = { bytes: [...value], at: 0 };
  if (byte(reader) !== 1) throw new Error('another version');
  const rows: PageRow[] = [];
  while (reader.at < reader.bytes.length) {
    const schema = Number(fixed(reader, 4)).toString(16).padStart(8, '0');
    const length = Number(varint(reader));
    const end = reader.at + length;
    if (schema === '00000000') rows.push({ schema, erased: signed(fixed(reader, 8), 64) });
    else rows.push({ schema, ...row(reader, schemas(schema)) });
    if (reader.at !== end) throw new Error('a row is not as long as it says');
  }
  return rows;
}

function row(reader: Reader, schema: PageSchema): Omit<PageRow, 'schema'> {
  const flags = byte(reader);
  const event = zigzag(reader) * unit((flags >> 4) & 3);
  const created = flags & 2 ? event + zigzag(reader) * unit(flags >> 6) : null;
  const available = flags & 4 ? event + zigzag(reader) * unit(flags >> 6) : null;
  const nulls = flags & 8 ? bits(reader, schema.features.length) : schema.features.map(() => false);
  const values: Record<string, unknown> = {};
  for (const [i, { name, type }] of schema.features.entries()) values[name] = nulls[i] ? null : readTyped(reader, type);
  return { pushed: (flags & 1) === 1, event, created, available, values };
}

function unit(number: number): bigint {
  return [1n, 1000n, 1_000_000n, 3_600_000_000n][number] as bigint;
}

function readTyped(reader: Reader, type: string): unknown {
  const [, kind = '', inner = ''] = /^(\w+)(?:\((.*)\))?$/.exec(type) ?? [];
  switch (kind) {
    case 'bool':
      return byte(reader) === 1;
    case 'int32':
      return Number(zigzag(reader));
    case 'int64':
    case 'timestamp':
      return zigzag(reader);
    case 'date':
      return new Date(Number(zigzag(reader)) * 86_400_000).toISOString().slice(0, 10);
    case 'decimal': {
      const scale = Number(inner.split(',')[1]);
      const unscaled = String(zigzag(reader));
      const digits = unscaled.replace('-', '').padStart(scale + 1, '0');
      const point = digits.length - scale;
      return (unscaled.startsWith('-') ? '-' : '') + digits.slice(0, point) + (scale > 0 ? `.${digits.slice(point)}` : '');
    }
    case 'float32':
      return new DataView(Uint8Array.from(some(reader, 4)).buffer).getFloat32(0, true);
    case 'float64':
      return new DataView(Uint8Array.from(some(reader, 8)).buffer).getFloat64(0, true);
    case 'string':
      return text(reader);
    case 'bytes':
      return Uint8Array.from(some(reader, Number(varint(reader))));
    case 'list':
      return elements(reader, Number(varint(reader)), inner);
    case 'vector':
      return elements(reader, Number(inner.split(',')[1]), inner.split(',')[0] as string);
    default:
      throw new Error(`no type ${type}`);
  }
}

function elements(reader: Reader, count: number, type: string): unknown[] {
  return bits(reader, count).map((isNull) => (isNull ? null : readTyped(reader, type)));
}

function bits(reader: Reader, count: number): boolean[] {
  const bytes = some(reader, Math.ceil(count / 8));
  return Array.from({ length: count }, (_, i) => (((bytes[Math.floor(i / 8)] as number) >> (i % 8)) & 1) === 1);
}

function varint(reader: Reader): bigint {
  let value = 0n;
  for (let shift = 0n; ; shift += 7n) {
    const next = byte(reader);
    value += BigInt(next % 128) << shift;
    if (next < 128) return value;
  }
}

function zigzag(reader: Reader): bigint {
  const value = varint(reader);
  return value % 2n === 0n ? value / 2n : -(value + 1n) / 2n;
}

function text(reader: Reader): string {
  return utf8(some(reader, Number(varint(reader))));
}

function fixed(reader: Reader, count: number): bigint {
  return some(reader, count).reduceRight((value, next) => value * 256n + BigInt(next), 0n);
}

function signed(value: bigint, width: number): bigint {
  return value >= 1n << BigInt(width - 1) ? value - (1n << BigInt(width)) : value;
}

function byte(reader: Reader): number {
  return some(reader, 1)[0] as number;
}

function some(reader: Reader, count: number): number[] {
  if (reader.at + count > reader.bytes.length) throw new Error('bytes are missing');
  reader.at += count;
  return reader.bytes.slice(reader.at - count, reader.at);
}

function utf8(bytes: readonly number[]): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes));
}

function hex(bytes: readonly number[]): string {
  return bytes.map((value) => value.toString(16).padStart(2, '0')).join('');
}
