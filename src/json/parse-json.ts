/** JSON as requests and records bring it: UTF-8, of bounded depth, and every number exact. */
import { isUtf8 } from 'node:buffer';
import { FeatureStoreError } from '../errors.ts';
import { inspectJson } from './inspect-json.ts';

/** Integers that a double does not hold exactly are bigint. */
export type JsonValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly JsonValue[]
  | { readonly [member: string]: JsonValue };

/** INVALID_ARGUMENT, saying `what` it is, for bytes that are no UTF-8, text that is no JSON, more than `maxDepth` levels, and numbers beyond a double. */
export function parseJson(bytes: Uint8Array, maxDepth: number, what = 'the body'): JsonValue {
  if (!isUtf8(bytes)) throw refused(what, 'is not UTF-8');
  const { depth, hasLongNumbers } = inspectJson(bytes);
  if (depth > maxDepth) throw refused(what, `is nested ${depth} levels deep, and ${maxDepth} are read`, { max_depth: maxDepth });
  const text = asText(bytes);
  const parsed = parseText(text, what);
  return hasLongNumbers ? readExactly(text, what) : parsed;
}

function asText({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('utf8');
}

function parseText(text: string, what: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch (cause) {
    // V8's message quotes the text around the mistake, which may be anybody's data: only the place is told on.
    const message = cause instanceof Error ? cause.message : '';
    const position = /position (\d+)/.exec(message)?.[1];
    if (position !== undefined) throw refused(what, `is no JSON: see position ${position}`);
    if (message.includes('end of JSON input')) throw refused(what, 'is no JSON: it is cut short or empty');
    throw refused(
      what,
      'is no JSON: something in it stands where no value may; NaN and infinities are written as text, such as "NaN"',
    );
  }
}

/** Reads text that JSON.parse has taken, so that only its numbers need care. */
function readExactly(text: string, what: string): JsonValue {
  let at = 0;

  function skipBlanks(): void {
    while (' \t\n\r'.includes(text[at] ?? '.')) at += 1;
  }

  function readString(): string {
    const start = at;
    at += 1;
    while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
    at += 1;
    return JSON.parse(text.slice(start, at)) as string;
  }

  function readList(): JsonValue[] {
    const items: JsonValue[] = [];
    at += 1;
    for (skipBlanks(); text[at] !== ']'; skipBlanks()) {
      items.push(readValue());
      skipBlanks();
      if (text[at] === ',') at += 1;
    }
    at += 1;
    return items;
  }

  function readObject(): { [member: string]: JsonValue } {
    const entries: [string, JsonValue][] = [];
    at += 1;
    for (skipBlanks(); text[at] !== '}'; skipBlanks()) {
      const name = readString();
      skipBlanks();
      at += 1;
      entries.push([name, readValue()]);
      skipBlanks();
      if (text[at] === ',') at += 1;
    }
    at += 1;
    return Object.fromEntries(entries);
  }

  function readValue(): JsonValue {
    skipBlanks();
    const first = text[at];
    if (first === '"') return readString();
    if (first === '[') return readList();
    if (first === '{') return readObject();
    atom.lastIndex = at;
    const [found] = atom.exec(text) as RegExpExecArray;
    at += found.length;
    return readAtom(found, what);
  }

  return readValue();
}

const atom = /[-+.\w]+/y;

function readAtom(text: string, what: string): JsonValue {
  const value = JSON.parse(text) as boolean | number | null;
  if (typeof value !== 'number') return value;
  if (/^-?\d+$/.test(text)) return Number.isSafeInteger(value) ? value : BigInt(text);
  if (Number.isFinite(value)) return value;
  throw refused(what, `holds the number ${shorten(text)}, which is beyond every double`);
}

function shorten(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

function refused(what: string, why: string, details: Readonly<Record<string, unknown>> = {}): FeatureStoreError {
  return new FeatureStoreError('INVALID_ARGUMENT', `${what} ${why}`, { details });
}
