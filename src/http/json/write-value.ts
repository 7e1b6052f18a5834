/** Values as JSON text, by a writer that is chosen once per column: our lossless form, the same as encodeLiteral's. */
import { formatInstantUs } from '../../definitions/format-instant.ts';
import type { LiteralValue } from '../../definitions/literal.ts';
import type { ValueType } from '../../definitions/value-type.ts';

/** Writes a value of the type that the writer was made for; null is `null`. */
export type ValueWriter = (value: LiteralValue) => string;

/**
 * int64 and decimals as text, NaN and infinities by name, timestamps ISO with six digits of a second, bytes in base64; a float is always
 * written as one, with `.0` or an exponent where it is whole, so that readers which tell integers from floats see a float.
 */
export function losslessWriter(type: ValueType): ValueWriter {
  const write = writerOf(type);
  return (value) => (value === null ? 'null' : write(value));
}

function writerOf(type: ValueType): ValueWriter {
  switch (type.kind) {
    case 'bool':
    case 'int32':
      return String;
    case 'int64':
    case 'decimal':
    case 'date':
      return quoteAsIs;
    case 'float32':
    case 'float64':
      return (value) => writeFloat(value as number);
    case 'string':
      return writeText;
    case 'timestamp':
      return (value) => `"${formatInstantUs(value as bigint)}"`;
    case 'bytes':
      return writeBytes;
    case 'list':
      return listWriter(losslessWriter(type.element));
    case 'vector':
      return listWriter(losslessWriter({ kind: type.element }));
  }
}

/** A finite double as the shortest text that reads back as itself and as a float; others by name. */
export function writeFloat(value: number): string {
  if (!Number.isFinite(value)) return `"${value}"`;
  if (Object.is(value, -0)) return '-0.0';
  const text = String(value);
  return Number.isInteger(value) && !text.includes('e') ? `${text}.0` : text;
}

/** Half a surrogate pair, which is no text, is written as an escape. */
export function writeText(value: LiteralValue): string {
  return JSON.stringify(value);
}

export function writeBytes(value: LiteralValue): string {
  return `"${Buffer.from(value as Uint8Array).toString('base64')}"`;
}

export function listWriter(write: ValueWriter): ValueWriter {
  return (value) => `[${(value as readonly LiteralValue[]).map(write).join(',')}]`;
}

/** Text in which nothing needs an escape. */
function quoteAsIs(value: LiteralValue): string {
  return `"${String(value)}"`;
}
