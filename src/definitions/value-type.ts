/** Value types of features and columns: their spelling, parsed once into plain values. */
import { didYouMean, FeatureStoreError } from '../errors.ts';

const simpleNames = ['bool', 'int32', 'int64', 'float32', 'float64', 'string', 'bytes', 'timestamp', 'date'] as const;
const compositeNames = ['decimal', 'list', 'vector'] as const;
const keyTypes = ['int32', 'int64', 'string', 'bool', 'bytes'] as const;

export type SimpleTypeName = (typeof simpleNames)[number];

export type ValueType =
  | { readonly kind: SimpleTypeName }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'list'; readonly element: ValueType }
  | { readonly kind: 'vector'; readonly element: 'float32' | 'float64'; readonly length: number };

/** How a definition spells a value type; the compiler knows the simple ones by name, the parser knows them all. */
export type ValueTypeText =
  | SimpleTypeName
  | `decimal(${string})`
  | `list(${string})`
  | `vector(float32,${string})`
  | `vector(float64,${string})`;

/** The types a join key may have (rule 2.1). */
export type KeyType = (typeof keyTypes)[number];

export const keyTypeNames: readonly KeyType[] = keyTypes;

/** Parses `int64`, `decimal(12,2)`, `list(list(string))`, `vector(float32,64)`, …; INVALID_ARGUMENT names the nearest type. */
export function parseValueType(text: string): ValueType {
  if (typeof text !== 'string') throw refuse(String(text), 'a type is a string such as "int64"');
  const [type, rest] = parseType(text, text);
  if (rest !== '') throw refuse(text, `"${rest.trim()}" after the type is not understood`);
  return type;
}

/** The one spelling of a type: without blanks, such as `decimal(12,2)`. */
export function formatValueType(type: ValueType): string {
  switch (type.kind) {
    case 'decimal':
      return `decimal(${type.precision},${type.scale})`;
    case 'list':
      return `list(${formatValueType(type.element)})`;
    case 'vector':
      return `vector(${type.element},${type.length})`;
    default:
      return type.kind;
  }
}

/** Whether a text names a type that a join key may have. */
export function isKeyType(text: unknown): text is KeyType {
  return keyTypes.includes(text as KeyType);
}

/** The type at the head of `input` and what follows it. */
function parseType(input: string, whole: string): [ValueType, string] {
  const [, name = '', after = ''] = /^\s*([A-Za-z0-9_]*)\s*(.*)$/s.exec(input) as RegExpExecArray;
  if (simpleNames.includes(name as SimpleTypeName)) return [{ kind: name as SimpleTypeName }, after];
  if (name === 'list') {
    const [element, rest] = parseType(expect(after, '(', whole), whole);
    return [{ kind: 'list', element }, expect(rest, ')', whole)];
  }
  if (name === 'decimal') return parseDecimal(after, whole);
  if (name === 'vector') return parseVector(after, whole);
  const valid = `one of ${simpleNames.join(', ')}, decimal(p,s), list(type), vector(float32 or float64, n)`;
  throw refuse(whole, `"${name}" is not a type, which is ${valid}${suggestion(name)}`);
}

function parseDecimal(after: string, whole: string): [ValueType, string] {
  const found = /^\(\s*(\d+)\s*,\s*(\d+)\s*\)\s*(.*)$/s.exec(after);
  if (found === null) throw refuse(whole, 'a decimal is written decimal(precision,scale), such as decimal(12,2)');
  const precision = Number(found[1]);
  const scale = Number(found[2]);
  if (precision < 1 || precision > 38) throw refuse(whole, `a decimal's precision is 1 to 38, not ${precision}`);
  if (scale > precision) throw refuse(whole, `a decimal's scale is at most its precision, and ${scale} > ${precision}`);
  return [{ kind: 'decimal', precision, scale }, found[3] as string];
}

function parseVector(after: string, whole: string): [ValueType, string] {
  const found = /^\(\s*(float32|float64)\s*,\s*(\d+)\s*\)\s*(.*)$/s.exec(after);
  if (found === null) throw refuse(whole, 'a vector is written vector(float32,n) or vector(float64,n), n its length');
  const length = Number(found[2]);
  if (length < 1 || length > 1_000_000) throw refuse(whole, `a vector's length is 1 to 1000000, not ${found[2]}`);
  return [{ kind: 'vector', element: found[1] as 'float32' | 'float64', length }, found[3] as string];
}

function expect(input: string, mark: '(' | ')', whole: string): string {
  const text = input.trimStart();
  if (text.startsWith(mark)) return text.slice(1).trimStart();
  throw refuse(whole, `"${mark}" is missing`);
}

/** Names that other systems use for our types. */
const foreignNames: Readonly<Record<string, SimpleTypeName>> = {
  boolean: 'bool',
  int: 'int64',
  integer: 'int32',
  bigint: 'int64',
  long: 'int64',
  smallint: 'int32',
  float: 'float32',
  double: 'float64',
  real: 'float32',
  str: 'string',
  text: 'string',
  varchar: 'string',
  utf8: 'string',
  blob: 'bytes',
  binary: 'bytes',
  datetime: 'timestamp',
};

function suggestion(name: string): string {
  const known = foreignNames[name.toLowerCase()];
  return known === undefined ? didYouMean(name, [...simpleNames, ...compositeNames]) : `; did you mean "${known}"?`;
}

function refuse(text: string, why: string): FeatureStoreError {
  return new FeatureStoreError('INVALID_ARGUMENT', `type "${text}" cannot be read: ${why}`, { details: { type: text } });
}
