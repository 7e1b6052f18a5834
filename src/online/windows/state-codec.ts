/** The state of a key's windows and sessions as bytes: recent events, tiles of hops, and pieces of sessions. */
import {
  type Cursor,
  checkEnd,
  createSink,
  readText,
  readVarint,
  readZigzag,
  reserve,
  type Sink,
  takeSink,
  writeByte,
  writeBytes,
  writeText,
  writeVarint,
  writeZigzag,
} from '../encoding/bytes.ts';
import { damaged } from '../encoding/damaged.ts';
import { compilePart, type PartCodec, type SavedAggregate } from './part-codec.ts';
import type { Part, Piece } from './piece.ts';
import type { Recents } from './recents.ts';
import type { WindowState } from './state.ts';
import { readTiles, writeTiles } from './tile-codec.ts';

export interface StateCodec {
  /** The whole span, with its schema's number. */
  encode(state: WindowState): Buffer;
  /** From the body on. */
  decode(cursor: Cursor): WindowState;
}

const sink = createSink(4096);
/** What a length must be known of before it is written. */
const innerSink = createSink(4096);

/** A codec of states of some features, in their order, for good: a schema's features never change. */
export function compileStateCodec(schemaId: number, aggregates: readonly SavedAggregate[], isOfSessions: boolean): StateCodec {
  const parts = aggregates.map(compilePart);
  return {
    encode(state) {
      sink.at = 0;
      writeVarint(sink, state.fences.size);
      for (const [partition, next] of state.fences) {
        writeText(sink, partition);
        writeZigzag(sink, next);
      }
      writeByte(sink, state.freedUs === undefined ? 0 : 1);
      if (state.freedUs !== undefined) writeZigzag(sink, state.freedUs);
      writeRecents(sink, state.recents, parts);
      writePieces(sink, state.sessions, parts);
      if (!isOfSessions) for (const [at, tiles] of state.tiles.entries()) writeTiles(sink, tiles, parts[at] as PartCodec);
      return withHead(schemaId, takeSink(sink));
    },
    decode(cursor) {
      const fences = new Map<string, bigint>();
      for (let left = readVarint(cursor); left > 0; left--) fences.set(readText(cursor), readZigzag(cursor));
      checkEnd(cursor);
      const freedUs = cursor.buffer[cursor.at++] === 1 ? readZigzag(cursor) : undefined;
      const recents = readRecents(cursor, parts);
      const sessions = readPieces(cursor, parts);
      const tiles = isOfSessions ? [] : parts.map((part) => readTiles(cursor, part));
      if (cursor.at !== cursor.end) throw damaged();
      return { fences, freedUs, recents, sessions, tiles };
    },
  };
}

function withHead(schemaId: number, body: Buffer): Buffer {
  const head: Sink = { buffer: Buffer.alloc(16), at: 4 };
  head.buffer.writeUInt32LE(schemaId);
  writeVarint(head, body.length);
  return Buffer.concat([head.buffer.subarray(0, head.at), body]);
}

function writeRecents(sink: Sink, { raw, pieces }: Recents, codecs: readonly PartCodec[]): void {
  const count = (raw?.count ?? 0) + pieces.length;
  writeVarint(sink, count);
  if (count === 0) return;
  const firstUs = raw?.firstUs ?? (pieces[0] as Piece).firstUs;
  let previousUs = raw?.lastUs ?? firstUs;
  innerSink.at = 0;
  for (const { firstUs: timeUs, parts } of pieces) {
    writeVarint(innerSink, Number(timeUs - previousUs));
    previousUs = timeUs;
    writeParts(innerSink, parts, codecs, undefined);
  }
  writeZigzag(sink, firstUs);
  writeVarint(sink, Number(previousUs - firstUs));
  writeVarint(sink, (raw?.bytes.length ?? 0) + innerSink.at);
  if (raw !== undefined) writeBytes(sink, raw.bytes);
  writeBytes(sink, innerSink.buffer.subarray(0, innerSink.at));
}

function readRecents(cursor: Cursor, codecs: readonly PartCodec[]): Recents {
  const count = readVarint(cursor);
  if (count === 0) return { raw: undefined, pieces: [] };
  const firstUs = readZigzag(cursor);
  const lastUs = firstUs + BigInt(readVarint(cursor));
  const length = readVarint(cursor);
  const bytes = cursor.buffer.subarray(cursor.at, cursor.at + length);
  cursor.at += length;
  checkEnd(cursor);
  const open = () => {
    const own = { buffer: bytes, at: 0, end: bytes.length };
    let timeUs = firstUs;
    const pieces = Array.from({ length: count }, (): Piece => {
      timeUs += BigInt(readVarint(own));
      return { firstUs: timeUs, lastUs: timeUs, parts: readParts(own, timeUs, codecs, true) };
    });
    if (own.at !== own.end || timeUs !== lastUs) throw damaged();
    return pieces;
  };
  return { raw: { count, firstUs, lastUs, bytes, open }, pieces: [] };
}

function writePieces(sink: Sink, pieces: readonly Piece[], codecs: readonly PartCodec[]): void {
  writeVarint(sink, pieces.length);
  let previousUs = 0n;
  for (const { firstUs, lastUs, parts } of pieces) {
    writeZigzag(sink, firstUs - previousUs);
    writeVarint(sink, Number(lastUs - firstUs));
    previousUs = firstUs;
    writeParts(sink, parts, codecs, lastUs);
  }
}

/** `lastUs` is that of their piece; undefined where all of a piece is of one instant. */
function writeParts(sink: Sink, parts: Piece['parts'], codecs: readonly PartCodec[], lastUs: bigint | undefined): void {
  const bits = sink.at;
  const bytes = (codecs.length + 3) >>> 2;
  reserve(sink, bytes);
  sink.buffer.fill(0, bits, bits + bytes);
  sink.at += bytes;
  for (let at = 0; at < codecs.length; at++) {
    const part = parts[at];
    if (part === undefined) continue;
    const saved = codecs[at]?.save(part.state);
    const byte = bits + (at >>> 2);
    sink.buffer[byte] = (sink.buffer[byte] as number) | ((saved === undefined ? 1 : 2) << (2 * (at & 3)));
    if (lastUs !== undefined) writeVarint(sink, Number(lastUs - part.lastUs));
    if (saved !== undefined) codecs[at]?.write(sink, saved);
  }
}

function readPieces(cursor: Cursor, codecs: readonly PartCodec[]): Piece[] {
  const pieces: Piece[] = [];
  let firstUs = 0n;
  for (let left = readVarint(cursor); left > 0; left--) {
    firstUs += readZigzag(cursor);
    const lastUs = firstUs + BigInt(readVarint(cursor));
    pieces.push({ firstUs, lastUs, parts: readParts(cursor, lastUs, codecs, false) });
  }
  return pieces;
}

function readParts(cursor: Cursor, lastUs: bigint, codecs: readonly PartCodec[], isInstant: boolean): Piece['parts'] {
  const bits = cursor.at;
  cursor.at += (codecs.length + 3) >>> 2;
  checkEnd(cursor);
  const parts: (Part | undefined)[] = [];
  for (let at = 0; at < codecs.length; at++) {
    const kind = ((cursor.buffer[bits + (at >>> 2)] as number) >>> (2 * (at & 3))) & 3;
    if (kind === 0) parts.push(undefined);
    else {
      const partUs = isInstant ? lastUs : lastUs - BigInt(readVarint(cursor));
      const codec = codecs[at] as PartCodec;
      parts.push({ lastUs: partUs, state: kind === 2 ? codec.read(cursor) : codec.init() });
    }
  }
  return parts;
}
