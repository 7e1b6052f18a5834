/** Values as JSON text, by a writer that is chosen once per column: our lossless form, the same as encodeLiteral's. */
import type { LiteralValue } from '../../definitions/literal.ts';
import type { ValueType } from '../../definitions/value-type.ts';
import { type Sink, writeAll, writeAscii, writeByte, writeInteger, writeQuoted } from './text-sink.ts';
import { writeInstant } from './write-instant.ts';

/** Writes a value of the type that the writer was made for; null is `null`. */
export type ValueWriter = (sink: Sink, value: LiteralValue) => void;

const quote = 0x22;
/** Shorter lists are written value by value. */
const shortList = 8;

/**
 * int64 and decimals as text, NaN and infinities by name, timestamps ISO with six digits of a second, bytes in base64; a float is always
 * written as one, with `.0` or an exponent where it is whole, so that readers which tell integers from floats see a float.
 */
export function losslessWriter(type: ValueType): ValueWriter {
  return orNull(writerOf(type));
}

/** `[a,b,…]` of a type; of different floats of which none needs care V8 writes the whole list, which takes less than half the time. */
export function writeValues(sink: Sink, type: ValueType, values: readonly LiteralValue[], write: ValueWriter): void {
  const isFloat = type.kind === 'float64' || type.kind === 'float32';
  const isPlain = isFloat && values.length >= shortList && values[0] !== values[1] && values.every(isPlainFloat);
  if (isPlain) writeAscii(sink, JSON.stringify(values));
  else writeAll(sink, values, write);
}

/** Whether JSON.stringify writes it as writeFloat does. */
function isPlainFloat(value: LiteralValue): boolean {
  return value === null || (Number.isFinite(value) && !Number.isInteger(value));
}

function writerOf(type: ValueType): ValueWriter {
  switch (type.kind) {
    case 'bool':
      return writeBool;
    case 'int32':
      return writeBareInteger;
    case 'int64':
      return (sink, value) => {
        writeByte(sink, quote);
        writeInteger(sink, value as bigint);
        writeByte(sink, quote);
      };
    case 'decimal':
    case 'date':
    case 'string':
      return writeString;
    case 'float32':
    case 'float64':
      return writeFloat;
    case 'timestamp':
      return (sink, value) => writeInstant(sink, value as bigint);
    case 'bytes':
      return writeBytes;
    case 'list':
      return listWriter(losslessWriter(type.element));
    case 'vector':
      return listWriter(losslessWriter({ kind: type.element }));
  }
}

/** The writer, with `null` for null. */
export function orNull(write: ValueWriter): ValueWriter {
  return (sink, value) => {
    if (value === null) writeAscii(sink, 'null');
    else write(sink, value);
  };
}

export function writeBool(sink: Sink, value: LiteralValue): void {
  writeAscii(sink, value === true ? 'true' : 'false');
}

export function writeBareInteger(sink: Sink, value: LiteralValue): void {
  writeInteger(sink, value as number | bigint);
}

/** A finite double as the shortest text that reads back as itself and as a float; others by name. */
export function writeFloat(sink: Sink, value: LiteralValue): void {
  const float = value as number;
  if (Number.isSafeInteger(float)) {
    writeAscii(sink, Object.is(float, -0) ? '-0.0' : `${float}.0`);
    return;
  }
  const text = String(float);
  if (!Number.isFinite(float)) writeAscii(sink, `"${text}"`);
  else writeAscii(sink, Number.isInteger(float) && !text.includes('e') ? `${text}.0` : text);
}

export function writeString(sink: Sink, value: LiteralValue): void {
  writeQuoted(sink, value as string);
}

export function writeBytes(sink: Sink, value: LiteralValue): void {
  writeAscii(sink, `"${Buffer.from(value as Uint8Array).toString('base64')}"`);
}

export function listWriter(write: ValueWriter): ValueWriter {
  return (sink, value) => writeAll(sink, value as readonly LiteralValue[], write);
}
