/**
 * Keys of the online store. All views over the same join keys share the key of an entity:
 *
 *   project (UTF-8), 0x00, 0x02, varint count of join keys, each name (varint length, UTF-8), each value (a tag, then what it says)
 *
 * and records beside the rows have keys of their own: project, 0x00, 0x01, kind, 0x00, name.
 */
import { createHash } from 'node:crypto';
import type { LiteralValue } from '../../definitions/literal.ts';
import type { KeyType } from '../../definitions/value-type.ts';
import { FeatureStoreError } from '../../errors.ts';
import {
  asBuffer,
  type Cursor,
  checkEnd,
  createSink,
  readText,
  readVarint,
  readZigzag,
  type Sink,
  takeSink,
  writeByte,
  writeBytes,
  writeRange,
  writeText,
  writeVarint,
  writeZigzag,
} from './bytes.ts';

export interface JoinKey {
  readonly name: string;
  readonly type: KeyType;
}

/** What an entity's key is made of; equal parts are equal values of a join key. */
export interface EntityKeyParts {
  readonly joinKeys: readonly string[];
  readonly parts: readonly Uint8Array[];
}

export const keyTags = { integer: 1, bool: 2, string: 3, bytes: 4, stringDigest: 5, bytesDigest: 6 } as const;

/** Longer strings and bytes stand in a key by their sha256, so that a key stays short. */
const longestBytes = 64;

const recordMark = 1;
const entityMark = 2;
const sink = createSink();

/** The key of an entity; INVALID_ARGUMENT where a value is not of its join key's type. Integers of any width are one key (rule 2.2). */
export function encodeEntityKey(project: string, joinKeys: readonly JoinKey[], values: readonly LiteralValue[]): Buffer {
  return encodeEntityKeys(project, joinKeys, [values])[0] as Buffer;
}

/** The keys of many entities; undefined where one of the values is null (rule 2.3). */
export function encodeEntityKeys(
  project: string,
  joinKeys: readonly JoinKey[],
  entities: readonly (readonly LiteralValue[])[],
): (Buffer | undefined)[] {
  const head = encodeKeyHead(project, joinKeys);
  const writers = joinKeys.map(partWriter);
  return entities.map((values) => {
    sink.at = 0;
    writeBytes(sink, head);
    for (let at = 0; at < writers.length; at++) {
      const value = values[at] as LiteralValue;
      if (value === null || value === undefined) return undefined;
      (writers[at] as PartWriter)(sink, value);
    }
    return takeSink(sink);
  });
}

/** The parts of an entity's key; undefined for the key of a record or of another project. */
export function splitEntityKey(project: string, key: Uint8Array): EntityKeyParts | undefined {
  const bytes = asBuffer(key);
  const prefix = entityPrefix(project);
  if (bytes.compare(prefix, 0, prefix.length, 0, prefix.length) !== 0) return undefined;
  const cursor = { buffer: bytes, at: prefix.length, end: bytes.length };
  const joinKeys = Array.from({ length: readVarint(cursor) }, () => readText(cursor));
  const parts = joinKeys.map(() => {
    const start = cursor.at;
    skipPart(cursor);
    checkEnd(cursor);
    return bytes.subarray(start, cursor.at);
  });
  return { joinKeys, parts };
}

/** With what the keys of all entities of a project begin. */
export function entityPrefix(project: string): Buffer {
  return Buffer.concat([Buffer.from(project), Buffer.of(0, entityMark)]);
}

/** The key of a record beside the rows. */
export function encodeRecordKey(project: string, kind: string, name: string): Buffer {
  return Buffer.concat([recordPrefix(project, kind), Buffer.from(name)]);
}

/** With what the keys of all records of a kind begin. */
export function recordPrefix(project: string, kind: string): Buffer {
  return Buffer.concat([Buffer.from(project), Buffer.of(0, recordMark), Buffer.from(kind), Buffer.of(0)]);
}

/** With what the keys of all entities of some join keys begin: their values follow. */
export function encodeKeyHead(project: string, joinKeys: readonly JoinKey[]): Buffer {
  sink.at = 0;
  writeBytes(sink, entityPrefix(project));
  writeVarint(sink, joinKeys.length);
  for (const { name } of joinKeys) writeText(sink, name);
  return takeSink(sink);
}

type PartWriter = (sink: Sink, value: NonNullable<LiteralValue>) => void;

function partWriter({ name, type }: JoinKey): PartWriter {
  switch (type) {
    case 'int32':
    case 'int64':
      return (sink, value) => {
        if (typeof value !== 'bigint' && !Number.isSafeInteger(value)) throw mismatch(name, type);
        writeByte(sink, keyTags.integer);
        writeZigzag(sink, value as bigint | number);
      };
    case 'bool':
      return (sink, value) => {
        if (typeof value !== 'boolean') throw mismatch(name, type);
        writeByte(sink, keyTags.bool);
        writeByte(sink, value ? 1 : 0);
      };
    case 'string':
      return (sink, value) => {
        if (typeof value !== 'string' || /\p{Surrogate}/u.test(value)) throw mismatch(name, type);
        writeKeyBytes(sink, 'string', Buffer.from(value));
      };
    case 'bytes':
      return (sink, value) => {
        if (!(value instanceof Uint8Array)) throw mismatch(name, type);
        writeKeyBytes(sink, 'bytes', value);
      };
  }
}

/** A string or bytes with their tag, long ones as their digest. */
export function writeKeyBytes(sink: Sink, type: 'string' | 'bytes', data: Uint8Array, start = 0, end = data.length): void {
  if (end - start > longestBytes) {
    writeByte(sink, type === 'string' ? keyTags.stringDigest : keyTags.bytesDigest);
    writeBytes(sink, createHash('sha256').update(data.subarray(start, end)).digest());
  } else {
    writeByte(sink, type === 'string' ? keyTags.string : keyTags.bytes);
    writeVarint(sink, end - start);
    writeRange(sink, data, start, end);
  }
}

function skipPart(cursor: Cursor): void {
  const tag = cursor.buffer[cursor.at++];
  if (tag === keyTags.integer) readZigzag(cursor);
  else if (tag === keyTags.bool) cursor.at += 1;
  else if (tag === keyTags.string || tag === keyTags.bytes) {
    const length = readVarint(cursor);
    cursor.at += length;
  } else cursor.at += 32;
}

function mismatch(name: string, type: KeyType): FeatureStoreError {
  return new FeatureStoreError('INVALID_ARGUMENT', `join key "${name}" is ${type}, and a value of it is not`, {
    details: { join_key: name, type },
  });
}
