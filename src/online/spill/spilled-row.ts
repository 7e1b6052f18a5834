/**
 * What an entity's value has in the place of the states of a view that have spilled, a row of the number 1: the view's name (varint length,
 * UTF-8), then the first 16 bytes of the sha256 of the states. The side value is a value too: that very row, then the states.
 */
import { createHash } from 'node:crypto';
import { createSink, readText, takeSink, writeBytes, writeText, writeVarint } from '../encoding/bytes.ts';
import { joinRows, nextSpan, type RowSpan, readSpans, spilledId, startOfRows } from '../encoding/row-codec.ts';

export interface SpilledRow {
  readonly view: string;
  /** The whole row: equal rows stand for equal states. */
  readonly bytes: Buffer;
}

const digestBytes = 16;
const sink = createSink();

/** The row, and the side value that it stands for. */
export function encodeSpilled(view: string, states: readonly Uint8Array[]): { readonly row: Buffer; readonly side: Buffer } {
  const hash = createHash('sha256');
  for (const state of states) hash.update(state);
  writeText(sink, view);
  writeBytes(sink, hash.digest().subarray(0, digestBytes));
  const body = takeSink(sink);
  writeBytes(sink, Buffer.of(spilledId, 0, 0, 0));
  writeVarint(sink, body.length);
  writeBytes(sink, body);
  const row = takeSink(sink);
  return { row, side: joinRows([row, ...states]) };
}

/** What of a value has spilled. */
export function readSpilled(value: Buffer | undefined): readonly SpilledRow[] {
  let rows: SpilledRow[] | undefined;
  if (value === undefined) return none;
  for (let at = startOfRows(value); at < value.length; ) {
    const span = nextSpan(value, at);
    at = span.end;
    if (span.schemaId !== spilledId) continue;
    rows ??= [];
    rows.push(spilledRow(value, span));
  }
  return rows ?? none;
}

const none: readonly SpilledRow[] = [];

export function spilledRow(value: Buffer, { start, body, end }: RowSpan): SpilledRow {
  return { view: readText({ buffer: value, at: body, end }), bytes: value.subarray(start, end) };
}

/** Whether a side value is the one that a row stands for, and not that of an earlier or a later state. */
export function isSideOf(side: Buffer | undefined, { bytes }: SpilledRow): side is Buffer {
  return side !== undefined && side.length > bytes.length && bytes.equals(side.subarray(startOfRows(side), 1 + bytes.length));
}

/** The states of a side value, each whole. */
export function statesOf(side: Buffer): Buffer[] {
  return readSpans(side).flatMap(({ schemaId, start, end }) => (schemaId === spilledId ? [] : [side.subarray(start, end)]));
}
