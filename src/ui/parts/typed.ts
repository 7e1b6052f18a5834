/** What somebody typed, as the server takes a value of a type. */

/** Throws a sentence that says what is expected. */
export function parseTyped(name: string, type: string, text: string): unknown {
  if (text.trim() === '') return null;
  if (type === 'bool') {
    if (text === 'true' || text === 'false') return text === 'true';
    throw new TypeError(`${name} is true or false`);
  }
  if (type === 'int32') return numberOf(name, text, /^[+-]?\d+$/, 'a whole number');
  // Above 2^53 numbers of JSON lose digits: the server takes text.
  if (type === 'int64') {
    numberOf(name, text, /^[+-]?\d+$/, 'a whole number');
    return text.trim();
  }
  if (type.startsWith('float')) return numberOf(name, text, /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i, 'a number');
  if (type.startsWith('list') || type.startsWith('vector')) {
    try {
      const value: unknown = JSON.parse(text);
      if (Array.isArray(value)) return value;
    } catch {}
    throw new TypeError(`${name} is a list, such as [1, 2]`);
  }
  return text;
}

function numberOf(name: string, text: string, form: RegExp, wanted: string): number {
  if (!form.test(text.trim())) throw new TypeError(`${name} is ${wanted}, and not "${text}"`);
  return Number(text);
}
