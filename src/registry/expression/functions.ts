/**
 * The published list of operators and functions (rule 6.8, docs/reference/expressions.md): each depends on its arguments alone and has one
 * meaning, which an engine's dialect has to keep. A null argument gives null, except where the list says otherwise.
 */
import type { ValueType } from '../../definitions/value-type.ts';
import type { Expression } from './tree.ts';

export interface ExpressionFunction {
  /** How it is called, for messages: `starts_with(text, prefix)`. */
  readonly signature: string;
  /** The type of the result; undefined where the arguments do not fit. Literal nulls have come to be of the other arguments' type. */
  readonly resultType: (args: readonly Expression[]) => ValueType | undefined;
}

const bool: ValueType = { kind: 'bool' };
const int64: ValueType = { kind: 'int64' };
const float64: ValueType = { kind: 'float64' };
const string: ValueType = { kind: 'string' };
const timestamp: ValueType = { kind: 'timestamp' };

export function isInteger({ kind }: ValueType): boolean {
  return kind === 'int32' || kind === 'int64';
}

export function isFloat({ kind }: ValueType): boolean {
  return kind === 'float32' || kind === 'float64';
}

export function isNumber(type: ValueType): boolean {
  return isInteger(type) || isFloat(type) || type.kind === 'decimal';
}

/** The type in which numbers meet: floats before decimals before integers; undefined where a decimal would need over 38 digits. */
export function commonNumber(types: readonly ValueType[], scaleOf = greatestScale): ValueType | undefined {
  if (types.some(isFloat)) return float64;
  const scales = types.map((type) => (type.kind === 'decimal' ? type.scale : undefined));
  if (scales.every((scale) => scale === undefined)) return int64;
  const scale = scaleOf(scales.map((known) => known ?? 0));
  return scale > 38 ? undefined : { kind: 'decimal', precision: 38, scale };
}

function greatestScale(scales: readonly number[]): number {
  return Math.max(...scales);
}

/** The type that values of all these types have in common; undefined where they have none. */
export function commonType(types: readonly ValueType[]): ValueType | undefined {
  const [first, ...rest] = types;
  if (first === undefined) return undefined;
  if (types.every(isNumber)) return types.every((type) => same(type, first)) ? first : commonNumber(types);
  return rest.every((type) => same(type, first)) ? first : undefined;
}

function same(a: ValueType, b: ValueType): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

const typesOf = (args: readonly Expression[]) => args.map((arg) => arg.type);
const haveKinds = (args: readonly Expression[], ...kinds: readonly ValueType['kind'][]) =>
  args.length === kinds.length && args.every((arg, at) => arg.type.kind === kinds[at]);
const isText = (arg: Expression | undefined, pattern: RegExp) =>
  arg?.kind === 'literal' && typeof arg.value === 'string' && pattern.test(arg.value);
const isWhole = (arg: Expression | undefined, least: number) =>
  arg?.kind === 'literal' && isInteger(arg.type) && arg.value !== null && Number(arg.value) >= least;

/** Lists, vectors and bytes are carried, and not compared. */
const isComparable = ({ kind }: ValueType) => kind !== 'list' && kind !== 'vector' && kind !== 'bytes';

const comparison = (name: string): ExpressionFunction => ({
  signature: `a ${name} b`,
  resultType: (args) => {
    const common = args.length === 2 ? commonType(typesOf(args)) : undefined;
    return common !== undefined && isComparable(common) ? bool : undefined;
  },
});

const arithmetic = (name: string, scaleOf?: (scales: readonly number[]) => number): ExpressionFunction => ({
  signature: `a ${name} b`,
  resultType: (args) => {
    const types = typesOf(args);
    return args.length === 2 && types.every(isNumber) ? commonNumber(types, scaleOf) : undefined;
  },
});

const connective = (name: string): ExpressionFunction => ({
  signature: `a ${name} b`,
  resultType: (args) => (args.every(({ type }) => type.kind === 'bool') ? bool : undefined),
});

const textTest = (name: string): ExpressionFunction => ({
  signature: `${name}(text, part)`,
  resultType: (args) => (haveKinds(args, 'string', 'string') ? bool : undefined),
});

const textChange = (name: string): ExpressionFunction => ({
  signature: `${name}(text)`,
  resultType: (args) => (haveKinds(args, 'string') ? string : undefined),
});

const rounding = (name: string): ExpressionFunction => ({
  signature: `${name}(float)`,
  resultType: ([arg, ...more]) => (arg !== undefined && more.length === 0 && isFloat(arg.type) ? float64 : undefined),
});

const choice = (name: string): ExpressionFunction => ({
  signature: `${name}(a, b, …)`,
  resultType: (args) => commonType(typesOf(args)),
});

const ordering = (name: string): ExpressionFunction => ({
  signature: `${name}(a, b, …)`,
  resultType: (args) => {
    const common = commonType(typesOf(args));
    return common !== undefined && isComparable(common) ? common : undefined;
  },
});

const nullTest = (name: string): ExpressionFunction => ({
  signature: `a ${name}`,
  resultType: (args) => (args.length === 1 ? bool : undefined),
});

const datePart = (name: string): ExpressionFunction => ({
  signature: `${name}(timestamp)`,
  resultType: (args) => (haveKinds(args, 'timestamp') ? int64 : undefined),
});

export const timeParts = ['year', 'month', 'day', 'hour', 'minute', 'isodow'] as const;
export const truncations = ['year', 'month', 'week', 'day', 'hour', 'minute'] as const;

export const expressionFunctions: Readonly<Record<string, ExpressionFunction>> = {
  '=': comparison('='),
  '<>': comparison('<>'),
  '<': comparison('<'),
  '<=': comparison('<='),
  '>': comparison('>'),
  '>=': comparison('>='),
  'is distinct from': comparison('is distinct from'),
  'is not distinct from': comparison('is not distinct from'),
  in: {
    signature: 'a in (b, …)',
    resultType: (args) => {
      const common = args.length > 1 ? commonType(typesOf(args)) : undefined;
      return common !== undefined && isComparable(common) ? bool : undefined;
    },
  },
  'is null': nullTest('is null'),
  'is not null': nullTest('is not null'),
  and: connective('and'),
  or: connective('or'),
  not: { signature: 'not a', resultType: (args) => (haveKinds(args, 'bool') ? bool : undefined) },
  case: {
    signature: 'case when condition then a … else b end',
    resultType: (args) => {
      const conditions = args.filter((_, at) => at % 2 === 0 && at < args.length - 1);
      const results = args.filter((_, at) => at % 2 === 1 || at === args.length - 1);
      return conditions.every(({ type }) => type.kind === 'bool') ? commonType(typesOf(results)) : undefined;
    },
  },
  coalesce: choice('coalesce'),
  nullif: {
    signature: 'nullif(a, b)',
    resultType: (args) => {
      const common = args.length === 2 ? commonType(typesOf(args)) : undefined;
      return common !== undefined && isComparable(common) ? common : undefined;
    },
  },
  least: ordering('least'),
  greatest: ordering('greatest'),
  '+': arithmetic('+'),
  '-': {
    signature: 'a - b',
    resultType: (args) => {
      const types = typesOf(args);
      return types.every(isNumber) && (args.length === 1 || args.length === 2) ? commonNumber(types) : undefined;
    },
  },
  '*': arithmetic('*', (scales) => scales.reduce((sum, scale) => sum + scale, 0)),
  '/': { signature: 'a / b', resultType: (args) => (args.length === 2 && typesOf(args).every(isNumber) ? float64 : undefined) },
  '%': { signature: 'a % b', resultType: (args) => (args.length === 2 && typesOf(args).every(isInteger) ? int64 : undefined) },
  abs: {
    signature: 'abs(number)',
    resultType: (args) => (args.length === 1 && typesOf(args).every(isNumber) ? commonNumber(typesOf(args)) : undefined),
  },
  floor: rounding('floor'),
  ceil: rounding('ceil'),
  sqrt: {
    signature: 'sqrt(number)',
    resultType: (args) => (args.length === 1 && typesOf(args).every(isNumber) ? float64 : undefined),
  },
  '||': { signature: 'a || b', resultType: (args) => (haveKinds(args, 'string', 'string') ? string : undefined) },
  length: { signature: 'length(text)', resultType: (args) => (haveKinds(args, 'string') ? int64 : undefined) },
  lower: textChange('lower'),
  upper: textChange('upper'),
  trim: textChange('trim'),
  substring: {
    signature: 'substring(text, start, length), start 1 or more and length 0 or more, both written out',
    resultType: ([text, start, length, ...more]) =>
      text?.type.kind === 'string' && isWhole(start, 1) && isWhole(length, 0) && more.length === 0 ? string : undefined,
  },
  starts_with: textTest('starts_with'),
  ends_with: textTest('ends_with'),
  contains: textTest('contains'),
  like: {
    signature: "text like 'pattern', the pattern written out and without a backslash",
    resultType: (args) => (haveKinds(args, 'string', 'string') && isText(args[1], /^[^\\]*$/) ? bool : undefined),
  },
  extract: {
    signature: `extract(part from timestamp), part one of ${timeParts.join(', ')}`,
    resultType: ([part, time, ...more]) =>
      isText(part, new RegExp(`^(${timeParts.join('|')})$`)) && time?.type.kind === 'timestamp' && more.length === 0
        ? int64
        : undefined,
  },
  ...Object.fromEntries(timeParts.map((part) => [part, datePart(part)])),
  date_trunc: {
    signature: `date_trunc('unit', timestamp), unit one of ${truncations.join(', ')}`,
    resultType: ([unit, time, ...more]) =>
      isText(unit, new RegExp(`^(${truncations.join('|')})$`)) && time?.type.kind === 'timestamp' && more.length === 0
        ? timestamp
        : undefined,
  },
};
