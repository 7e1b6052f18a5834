/** Values as Feast's clients read them: `feast-wire` is lossy, and null stands where the client would raise. */
import type { LiteralValue } from '../../definitions/literal.ts';
import type { ValueType } from '../../definitions/value-type.ts';
import { type Sink, writeAscii, writeInteger } from '../json/text-sink.ts';
import {
  listWriter,
  orNull,
  type ValueWriter,
  writeBareInteger,
  writeBool,
  writeBytes,
  writeFloat,
  writeString,
} from '../json/write-value.ts';

/**
 * Integers bare, doubles with `.0`, float32 as its shortest text, timestamps as whole epoch seconds, bytes in base64, decimals and dates
 * as text. NaN, infinities, empty lists, lists that hold a null or NaN, and lists of lists are `null`: the client fails on them.
 */
export function feastWriter(type: ValueType): ValueWriter {
  return orNull(writerOf(type));
}

function writerOf(type: ValueType): ValueWriter {
  switch (type.kind) {
    case 'bool':
      return writeBool;
    case 'int32':
    case 'int64':
      return writeBareInteger;
    case 'float64':
      return (sink, value) => (Number.isFinite(value) ? writeFloat(sink, value) : writeNull(sink));
    case 'float32':
      return (sink, value) => (Number.isFinite(value) ? writeFloat(sink, shortFloat32(value as number)) : writeNull(sink));
    case 'timestamp':
      return (sink, value) => writeInteger(sink, secondsOf(value as bigint));
    case 'bytes':
      return writeBytes;
    case 'list':
      return type.element.kind === 'list' || type.element.kind === 'vector' ? writeNull : plainList(feastWriter(type.element));
    case 'vector':
      return plainList(feastWriter({ kind: type.element }));
    default:
      return writeString;
  }
}

function writeNull(sink: Sink): void {
  writeAscii(sink, 'null');
}

function plainList(write: ValueWriter): ValueWriter {
  const writeList = listWriter(write);
  return (sink, value) => {
    const items = value as readonly LiteralValue[];
    const fails =
      items.length === 0 || items.some((item) => item === null || (typeof item === 'number' && !Number.isFinite(item)));
    if (fails) writeNull(sink);
    else writeList(sink, value);
  };
}

/** The double of few digits that reads back as the same float32; one of nine digits always does. */
function shortFloat32(value: number): number {
  if (value === 0) return value;
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return Number(value.toPrecision(9));
}

/** Toward minus infinity. */
export function secondsOf(us: bigint): bigint {
  return (us - (((us % 1_000_000n) + 1_000_000n) % 1_000_000n)) / 1_000_000n;
}
