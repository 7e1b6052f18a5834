/** Texts that stand in JSON for what JSON has no form of. */

/** An integer of at most 64 bits as its decimal digits, in their one spelling; undefined for other text. */
export function readIntegerText(text: string): bigint | undefined {
  return /^(?:0|-?[1-9]\d{0,19})$/.test(text) ? BigInt(text) : undefined;
}

/** undefined for text that is no base64. */
export function decodeBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined;
  return new Uint8Array(Buffer.from(text, 'base64'));
}

/** `NaN`, `Infinity` and `-Infinity`; undefined for other text. */
export function readFloatName(text: string): number | undefined {
  if (text === 'NaN') return Number.NaN;
  if (text === 'Infinity') return Number.POSITIVE_INFINITY;
  return text === '-Infinity' ? Number.NEGATIVE_INFINITY : undefined;
}
