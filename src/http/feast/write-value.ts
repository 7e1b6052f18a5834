/** Values as Feast's clients read them: `feast-wire` is lossy, and null stands where the client would raise. */
import type { LiteralValue } from '../../definitions/literal.ts';
import type { ValueType } from '../../definitions/value-type.ts';
import { listWriter, type ValueWriter, writeBytes, writeFloat, writeText } from '../json/write-value.ts';

/**
 * Integers bare, doubles with `.0`, float32 as its shortest text, timestamps as whole epoch seconds, bytes in base64, decimals and dates
 * as text. NaN, infinities, empty lists, lists that hold a null or NaN, and lists of lists are `null`: the client fails on them.
 */
export function feastWriter(type: ValueType): ValueWriter {
  const write = writerOf(type);
  return (value) => (value === null ? 'null' : write(value));
}

function writerOf(type: ValueType): ValueWriter {
  switch (type.kind) {
    case 'bool':
    case 'int32':
    case 'int64':
      return String;
    case 'float64':
      return (value) => (Number.isFinite(value) ? writeFloat(value as number) : 'null');
    case 'float32':
      return (value) => (Number.isFinite(value) ? writeFloat32(value as number) : 'null');
    case 'timestamp':
      return (value) => String(secondsOf(value as bigint));
    case 'bytes':
      return writeBytes;
    case 'list':
      return type.element.kind === 'list' || type.element.kind === 'vector' ? () => 'null' : plainList(feastWriter(type.element));
    case 'vector':
      return plainList(feastWriter({ kind: type.element }));
    default:
      return writeText;
  }
}

function plainList(write: ValueWriter): ValueWriter {
  const writeList = listWriter(write);
  return (value) => {
    const items = value as readonly LiteralValue[];
    const fails =
      items.length === 0 || items.some((item) => item === null || (typeof item === 'number' && !Number.isFinite(item)));
    return fails ? 'null' : writeList(value);
  };
}

/** Few digits that read back as the same float32; nine always do. */
function writeFloat32(value: number): string {
  if (value === 0) return writeFloat(value);
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return writeFloat(short);
  }
  return writeFloat(Number(value.toPrecision(9)));
}

/** Toward minus infinity. */
export function secondsOf(us: bigint): bigint {
  return (us - (((us % 1_000_000n) + 1_000_000n) % 1_000_000n)) / 1_000_000n;
}
