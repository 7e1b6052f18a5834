/** The rows of one range of keys in the bytes that the online store is to hold, straight out of the columns they were read in. */
import { hash } from 'node:crypto';
import type { LatestBlock } from '../offline/latest.ts';
import { createSink, writeByte } from '../online/encoding/bytes.ts';
import { compileKeyWriter } from '../online/encoding/key-columns.ts';
import { valueVersion } from '../online/encoding/row-codec.ts';
import { compileRowWriter } from '../online/encoding/row-columns.ts';
import type { KeyArrivals, WriteTarget } from '../online/write/writer.ts';
import { findMisplaced } from './tied-rows.ts';

export interface RangeEncoder {
  /** Encodes the rows of a range of the block that was opened last, in the place of the one before. */
  encode(from: number, to: number): void;
  /** Tells whether what was encoded is the same as another time. */
  digest(): string;
  /** What was encoded, copied: the keys in their order. */
  take(): KeyArrivals[];
}

/** Opens blocks of a view's rows one after another. */
export type OpenBlock = (block: LatestBlock) => RangeEncoder;

/** The view's position is that among the views which are written together. */
export function compileRangeEncoder(project: string, { view, schemaId }: WriteTarget, position: number): OpenBlock {
  const { joinKeys, types, entities } = view;
  const sink = createSink(65_536);
  return (block) => {
    const keyWriters = [
      compileKeyWriter(project, joinKeys, block.keys),
      ...entities.map((entity) =>
        compileKeyWriter(
          project,
          entity.joinKeys,
          entity.positions.map((position) => block.keys[position] as LatestBlock['keys'][number]),
        ),
      ),
    ];
    const writeRow = compileRowWriter(schemaId, types, { ...block, values: block.features });
    /** Where the parts of each key start: itself, the keys where tombstones would be, its value; and where the last one ends. */
    let starts: number[] = [];
    let rows: number[] = [];
    return {
      encode(from, to) {
        const misplaced = findMisplaced(view, block, from, to);
        sink.at = 0;
        starts = [];
        rows = [];
        let last = -1;
        for (let row = from; row < to; row++) {
          if (misplaced?.has(row) === true) continue;
          const owner = block.owners[row] as number;
          if (owner !== last) {
            last = owner;
            for (const writeKey of keyWriters) {
              starts.push(sink.at);
              writeKey(sink, owner);
            }
            starts.push(sink.at);
            writeByte(sink, valueVersion);
            rows.push(0);
          }
          writeRow(sink, row);
          rows[rows.length - 1] = (rows.at(-1) as number) + 1;
        }
        starts.push(sink.at);
      },
      digest: () => hash('sha256', sink.buffer.subarray(0, sink.at), 'base64url').slice(0, 22),
      take() {
        const bytes = Buffer.from(sink.buffer.subarray(0, sink.at));
        const part = (at: number) => bytes.subarray(starts[at], starts[at + 1]);
        const parts = keyWriters.length + 1;
        return rows.map((count, index) => {
          const key = index * parts;
          return {
            key: part(key),
            tombstones: entities.length === 0 ? none : entities.map((_, at) => part(key + 1 + at)),
            arrivals: [{ view: position, value: part(key + parts - 1), rows: count, written: 0 }],
            erased: false,
          };
        });
      },
    };
  };
}

const none: readonly Buffer[] = [];
