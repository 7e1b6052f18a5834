/** Events in Avro: a record is one value of the schema that the source names, in Avro's binary encoding. */
import type { Type } from 'avsc';
import type { AvroFormatDocument } from '../../registry/document.ts';
import { AvroCursor, malformed } from './avro-cursor.ts';
import { readDay, readDecimal, readTypedTime } from './avro-logical.ts';
import { type AvroType, parseAvroSchema } from './avro-schema.ts';
import type { EventCollector } from './collect-events.ts';

type ReadAvro = (cursor: AvroCursor) => unknown;

/** INVALID_ARGUMENT where the schema is none, or not one of a record. */
export function compileAvroReader(format: AvroFormatDocument, names: readonly string[]) {
  const schema = parseAvroSchema(format.avro, format.schema);
  const wanted = new Set(names);
  const ignored = schema.fields.flatMap(({ name }) => (wanted.has(name) ? [] : [name]));
  const read = readFields(schema.fields.map(({ name, type }) => ({ name, read: compileType(type), isKept: wanted.has(name) })));
  return (offset: bigint, value: Uint8Array, events: EventCollector): void => {
    const cursor = new AvroCursor(value, format.framing === undefined ? 0 : readFrame(format, value));
    const event = read(cursor);
    if (cursor.left > 0) throw malformed(`it has ${cursor.left} bytes more than the schema says`);
    for (const name of ignored) events.ignore(name, offset, 1);
    events.add(offset, event, () => value);
  };
}

const frameBytes = 5;

/** 0x00 | 4 bytes id, most significant first | value. */
function readFrame({ schemaId }: AvroFormatDocument, value: Uint8Array): number {
  if (value.byteLength < frameBytes || value[0] !== 0) {
    throw malformed("it does not begin with a zero and its schema's id, as Confluent's serializers write them");
  }
  const id = Buffer.from(value.buffer, value.byteOffset, frameBytes).readUInt32BE(1);
  if (schemaId !== undefined && id !== schemaId) throw malformed(`its schema has the id ${id}, and ${schemaId} is read`);
  return frameBytes;
}

const maxDepth = 64;
const known = new WeakMap<Type, ReadAvro>();

function compileType(type: AvroType): ReadAvro {
  const found = known.get(type);
  if (found !== undefined) return found;
  // A record may hold itself.
  let compiled: ReadAvro | undefined;
  known.set(type, (cursor) => (compiled as ReadAvro)(cursor));
  compiled = compile(type);
  known.set(type, compiled);
  return compiled;
}

function compile(type: AvroType): ReadAvro {
  switch (type.typeName) {
    case 'null':
      return () => null;
    case 'boolean':
      return (cursor) => cursor.boolean();
    case 'int':
      return (cursor) => cursor.int();
    case 'long':
      return (cursor) => cursor.long();
    case 'float':
      return (cursor) => cursor.float();
    case 'double':
      return (cursor) => cursor.double();
    case 'string':
      return (cursor) => cursor.text();
    case 'bytes':
      return (cursor) => cursor.take(cursor.length());
    case 'fixed':
      return (cursor) => cursor.take(type.size);
    case 'enum':
      return (cursor) => {
        const index = cursor.int();
        return type.symbols[index] ?? fail(`a choice in it is ${index} of ${type.symbols.length}`);
      };
    case 'array':
      return readBlocks(compileType(type.itemsType));
    case 'map': {
      const value = compileType(type.valuesType);
      const entries = readBlocks((cursor) => [cursor.text(), value(cursor)]);
      return (cursor) => Object.fromEntries(entries(cursor) as [string, unknown][]);
    }
    case 'union:wrapped':
    case 'union:unwrapped': {
      const branches = type.types.map(compileType);
      return (cursor) => {
        const index = cursor.int();
        const branch = branches[index] ?? fail(`a choice in it is ${index} of ${branches.length}`);
        return branch(cursor);
      };
    }
    case 'record':
    case 'error':
      return readFields(type.fields.map((field) => ({ name: field.name, read: compileType(field.type), isKept: true })));
    default:
      return compileLogical(type);
  }
}

function compileLogical(type: Extract<AvroType, { underlyingType: unknown }>): ReadAvro {
  const read = compileType(type.underlyingType);
  switch (type.typeName) {
    case 'logical:decimal':
      return (cursor) => readDecimal(read(cursor) as Uint8Array, type.attributes.scale ?? 0);
    case 'logical:date':
      return (cursor) => readDay(read(cursor) as number);
    default: {
      const [, local, unit] = /^logical:(local-)?timestamp-(\w+)$/.exec(type.typeName) as RegExpExecArray;
      return (cursor) => readTypedTime(read(cursor) as number | bigint, unit as string, local !== undefined);
    }
  }
}

interface FieldReader {
  readonly name: string;
  readonly read: ReadAvro;
  readonly isKept: boolean;
}

function readFields(fields: readonly FieldReader[]): (cursor: AvroCursor) => Readonly<Record<string, unknown>> {
  return (cursor) => {
    if (++cursor.depth > maxDepth) throw malformed(`it is nested more than ${maxDepth} records deep`);
    const record: Record<string, unknown> = {};
    for (const { name, read, isKept } of fields) {
      const value = read(cursor);
      if (isKept) record[name] = value;
    }
    cursor.depth -= 1;
    return record;
  };
}

/** Blocks of items, each with its count, a negative one followed by its bytes, until one of none. */
function readBlocks(read: ReadAvro): (cursor: AvroCursor) => unknown[] {
  return (cursor) => {
    const items: unknown[] = [];
    for (let count = cursor.int(); count !== 0; count = cursor.int()) {
      if (count < 0) cursor.length();
      // Items of no bytes at all are refused too: a few bytes could ask for any number of them.
      if (Math.abs(count) > cursor.left) throw malformed(`an array in it has ${Math.abs(count)} items, more than its bytes`);
      for (let item = Math.abs(count); item > 0; item--) items.push(read(cursor));
    }
    return items;
  };
}

function fail(why: string): never {
  throw malformed(why);
}
