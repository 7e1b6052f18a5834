/**
 * The tiles of a feature, which a read takes what it needs of from their bytes: varint bytes that follow, 0 where no event ever passed; the
 * last event as a zigzag varint; then blocks of 16 hops, each
 *
 *   block       zigzag varint: its number from the epoch less that of the one before it
 *   bytes       varint: those of its tiles; 0 where there is one alone, whose hop in the block (1 byte) and state then follow
 *   state       of all of its tiles together
 *   tiles       of each its hop in the block (1 byte), and the state
 */
import type { LiteralValue } from '../../definitions/literal.ts';
import {
  type Cursor,
  checkEnd,
  createSink,
  readVarint,
  readZigzag,
  readZigzagNumber,
  type Sink,
  writeByte,
  writeBytes,
  writeVarint,
  writeZigzag,
} from '../encoding/bytes.ts';
import { damaged } from '../encoding/damaged.ts';
import type { PartCodec } from './part-codec.ts';
import { blockHops, emptyTiles, type FeatureTiles, type LazyTiles, readOpened } from './state.ts';

const sink = createSink(4096);
const blockSink = createSink(1024);

export function writeTiles(into: Sink, tiles: LazyTiles, codec: PartCodec): void {
  const raw = tiles.raw ?? encodeTiles(tiles.open(), codec);
  writeVarint(into, raw.length);
  writeBytes(into, raw);
}

export function readTiles(cursor: Cursor, codec: PartCodec): LazyTiles {
  const length = readVarint(cursor);
  const start = cursor.at;
  cursor.at += length;
  checkEnd(cursor);
  const bytes = cursor.buffer.subarray(start, cursor.at);
  let opened: FeatureTiles | undefined;
  return {
    get raw() {
      return opened === undefined ? bytes : undefined;
    },
    open() {
      opened ??= decodeTiles(bytes, codec);
      return opened;
    },
    readFrom: (hop, take) => (opened === undefined ? readBytes(bytes, codec, hop, take) : readOpened(opened, hop, take)),
  };
}

function encodeTiles({ lastUs, states, blocks }: FeatureTiles, codec: PartCodec): Buffer {
  sink.at = 0;
  if (lastUs === undefined) return sink.buffer.subarray(0, 0);
  writeZigzag(sink, lastUs);
  let previous = 0;
  for (const [block, tiles] of groupByBlock(states, codec)) {
    writeZigzag(sink, block - previous);
    previous = block;
    blockSink.at = 0;
    for (const { offset, saved } of tiles) {
      writeByte(blockSink, offset);
      codec.write(blockSink, saved);
    }
    if (tiles.length === 1) writeVarint(sink, 0);
    else {
      writeVarint(sink, blockSink.at);
      const together = blocks.get(block) ?? mergeAll(tiles, codec);
      codec.write(sink, codec.save(together) as readonly LiteralValue[]);
    }
    writeBytes(sink, blockSink.buffer.subarray(0, blockSink.at));
  }
  return sink.buffer.subarray(0, sink.at);
}

interface SavedTile {
  readonly offset: number;
  readonly state: object;
  readonly saved: readonly LiteralValue[];
}

/** Blocks in their order, and in each the tiles that say more than a new one. */
function groupByBlock(states: FeatureTiles['states'], codec: PartCodec): [number, SavedTile[]][] {
  const groups = new Map<number, SavedTile[]>();
  for (const hop of [...states.keys()].sort((a, b) => a - b)) {
    const state = states.get(hop) as object;
    const saved = codec.save(state);
    if (saved === undefined) continue;
    const block = Math.floor(hop / blockHops);
    const tile = { offset: hop - block * blockHops, state, saved };
    const group = groups.get(block);
    if (group === undefined) groups.set(block, [tile]);
    else group.push(tile);
  }
  return [...groups];
}

function mergeAll(tiles: readonly SavedTile[], codec: PartCodec): object {
  const together = codec.init();
  for (const { state } of tiles) codec.merge(together, state);
  return together;
}

function decodeTiles(bytes: Buffer, codec: PartCodec): FeatureTiles {
  const tiles = emptyTiles();
  const lastUs = scanTiles(bytes, codec, {
    isWanted: () => 'tiles',
    takeTile: (hop, state) => void tiles.states.set(hop, state),
    takeBlock: (block, state) => void tiles.blocks.set(block, state),
  });
  return { ...tiles, lastUs };
}

function readBytes(bytes: Buffer, codec: PartCodec, first: number, take: (state: object) => void): bigint | undefined {
  return scanTiles(bytes, codec, {
    isWanted: (block) => (block * blockHops >= first ? 'block' : (block + 1) * blockHops > first ? 'tiles' : 'nothing'),
    takeTile: (hop, state) => {
      if (hop >= first) take(state);
    },
    takeBlock: (block, state) => {
      if (block * blockHops >= first) take(state);
    },
  });
}

interface TileVisitor {
  /** What is to be read of a block of several tiles; what they are together is read in any case. */
  isWanted(block: number): 'block' | 'tiles' | 'nothing';
  takeTile(hop: number, state: object): void;
  takeBlock(block: number, state: object): void;
}

function scanTiles(bytes: Buffer, codec: PartCodec, visitor: TileVisitor): bigint | undefined {
  if (bytes.length === 0) return undefined;
  const cursor = { buffer: bytes, at: 0, end: bytes.length };
  const lastUs = readZigzag(cursor);
  let block = 0;
  while (cursor.at < cursor.end) {
    block += readZigzagNumber(cursor);
    const length = readVarint(cursor);
    const readTile = () => {
      const hop = block * blockHops + (bytes[cursor.at++] as number);
      visitor.takeTile(hop, codec.read(cursor));
    };
    if (length === 0) readTile();
    else {
      visitor.takeBlock(block, codec.read(cursor));
      const end = cursor.at + length;
      if (visitor.isWanted(block) === 'tiles') while (cursor.at < end) readTile();
      cursor.at = end;
    }
    checkEnd(cursor);
  }
  if (cursor.at !== cursor.end) throw damaged();
  return lastUs;
}
