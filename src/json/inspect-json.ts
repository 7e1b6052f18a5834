/** One pass over the bytes of a JSON text, before it is parsed: how deep it is, and whether a double would change a number. */

export interface JsonInspection {
  /** Of the deepest array or object; 1 for `[]`. */
  readonly depth: number;
  /** Whether a number has 16 or more digits before its point, or an exponent: a double may be another number. */
  readonly hasLongNumbers: boolean;
}

const quote = 0x22;
const backslash = 0x5c;
const longestExactDigits = 15;

/** Of text that is no JSON it says something, and parsing says what is wrong. */
export function inspectJson(bytes: Uint8Array): JsonInspection {
  let depth = 0;
  let deepest = 0;
  let digits = 0;
  let hasLongNumbers = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    if (byte >= 0x30 && byte <= 0x39) {
      digits += 1;
      if (digits > longestExactDigits) hasLongNumbers = true;
      continue;
    }
    if (byte === quote) at = endOfString(bytes, at + 1);
    else if (byte === 0x5b || byte === 0x7b) {
      depth += 1;
      if (depth > deepest) deepest = depth;
    } else if (byte === 0x5d || byte === 0x7d) depth -= 1;
    else if (byte === 0x2e && digits > 0) at = endOfDigits(bytes, at + 1);
    else if ((byte === 0x65 || byte === 0x45) && isDigit(bytes[at - 1])) hasLongNumbers = true;
    digits = 0;
  }
  return { depth: deepest, hasLongNumbers };
}

/** Where the closing quote stands. */
function endOfString(bytes: Uint8Array, start: number): number {
  let at = start;
  while (at < bytes.length && bytes[at] !== quote) at += bytes[at] === backslash ? 2 : 1;
  return at;
}

/** Where the last digit stands: those after the point are rounded as everywhere. */
function endOfDigits(bytes: Uint8Array, start: number): number {
  let at = start;
  while (isDigit(bytes[at])) at += 1;
  return at - 1;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}
