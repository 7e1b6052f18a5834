/** Binds an expression to the columns of a source: every name known, every type fitting, every literal within its column's vocabulary. */
import { formatUnscaled } from '../../definitions/decimal.ts';
import { encodeLiteral } from '../../definitions/literal.ts';
import { formatValueType, type ValueType } from '../../definitions/value-type.ts';
import { didYouMean, FeatureStoreError } from '../../errors.ts';
import { commonType, expressionFunctions, isFloat, isInteger } from './functions.ts';
import type { Expression, SqlLiteral, SqlNode } from './tree.ts';

export interface ExpressionColumn {
  readonly name: string;
  readonly type: ValueType;
  /** The values that a string column may have; others make the event invalid. */
  readonly values?: readonly string[];
}

/** Types an expression; INVALID_ARGUMENT names what does not fit, and the nearest that would. */
export function checkExpression(node: SqlNode, columns: readonly ExpressionColumn[]): Expression {
  return check(node, columns) ?? { kind: 'literal', type: { kind: 'bool' }, value: null };
}

/** undefined for a null without a type, which takes that of its neighbours. */
function check(node: SqlNode, columns: readonly ExpressionColumn[]): Expression | undefined {
  switch (node.kind) {
    case 'column': {
      const column = columns.find(({ name }) => name === node.name);
      if (column !== undefined) return { kind: 'column', name: column.name, type: column.type };
      const names = columns.map(({ name }) => name);
      throw refuse(`"${node.name}" is no column of the source${didYouMean(node.name, names) || `; it has ${names.join(', ')}`}`);
    }
    case 'literal':
      return literal(node.literal);
    case 'cast':
      return checkCast(node.arg, node.type, columns);
    case 'call':
      return checkCall(node.name, node.args, columns);
  }
}

function literal(value: SqlLiteral): Expression | undefined {
  switch (value.kind) {
    case 'null':
      return undefined;
    case 'bool':
    case 'string':
      return { kind: 'literal', type: { kind: value.kind }, value: value.value };
    case 'integer':
      return { kind: 'literal', type: { kind: 'int64' }, value: String(value.value) };
    case 'decimal': {
      const type = { kind: 'decimal', precision: 38, scale: value.scale } as const;
      return { kind: 'literal', type, value: formatUnscaled(value.unscaled, value.scale) };
    }
    case 'float':
      return { kind: 'literal', type: { kind: 'float64' }, value: value.value };
  }
}

function checkCall(name: string, nodes: readonly SqlNode[], columns: readonly ExpressionColumn[]): Expression {
  const known = Object.hasOwn(expressionFunctions, name) ? expressionFunctions[name] : undefined;
  if (known === undefined) {
    throw refuse(
      `${name} is not among the functions of expressions${didYouMean(name, Object.keys(expressionFunctions))} (docs/reference/expressions)`,
    );
  }
  const open = nodes.map((node) => check(node, columns));
  const types = open.flatMap((arg) => (arg === undefined ? [] : [arg.type]));
  const nullType = commonType(types) ?? types.at(-1) ?? { kind: 'bool' };
  const args = open.map((arg): Expression => arg ?? { kind: 'literal', type: nullType, value: null });
  const type = known.resultType(args);
  if (type === undefined) {
    const given = args.map((arg) => formatValueType(arg.type)).join(', ');
    throw refuse(`${name} is not made for ${given || 'nothing'}: it is written ${known.signature}${hint(args)}`);
  }
  if (['=', '<>', 'in', 'is distinct from', 'is not distinct from', 'nullif'].includes(name)) checkVocabulary(args, columns);
  return { kind: 'call', name, args, type };
}

/** Times are compared with times. */
function hint(args: readonly Expression[]): string {
  const kinds = args.map(({ type }) => type.kind);
  if (!kinds.includes('string')) return '';
  if (kinds.includes('timestamp')) return "; write an instant as timestamptz '2026-03-10T12:00:00Z'";
  return kinds.includes('date') ? "; write a date as date '2026-03-10'" : '';
}

function checkVocabulary(args: readonly Expression[], columns: readonly ExpressionColumn[]): void {
  for (const arg of args) {
    const values = arg.kind === 'column' ? columns.find(({ name }) => name === arg.name)?.values : undefined;
    if (arg.kind !== 'column' || values === undefined) continue;
    for (const { kind, ...rest } of args) {
      if (kind !== 'literal') continue;
      const { value } = rest as { value: unknown };
      if (value === null || values.includes(value as string)) continue;
      throw refuse(
        `'${String(value)}' is none of the values of column "${arg.name}"${didYouMean(String(value), values) || `: ${values.join(', ')}`}`,
      );
    }
  }
}

function checkCast(node: SqlNode, type: ValueType, columns: readonly ExpressionColumn[]): Expression {
  const arg = check(node, columns);
  if (arg === undefined) return { kind: 'literal', type, value: null };
  if (arg.kind === 'literal' && arg.type.kind === 'string' && (type.kind === 'timestamp' || type.kind === 'date')) {
    return { kind: 'literal', type, value: encodeLiteral(type, arg.value) as string };
  }
  if (!keepsValues(arg.type, type)) {
    throw refuse(
      `a cast of ${formatValueType(arg.type)} to ${formatValueType(type)} would round, or engines disagree on it; it is not accepted`,
    );
  }
  return { kind: 'call', name: 'cast', args: [arg], type };
}

/** Casts that lose nothing and mean the same everywhere, and the UTC day of an instant. */
function keepsValues(from: ValueType, to: ValueType): boolean {
  if (from.kind === to.kind && from.kind !== 'decimal') return true;
  switch (to.kind) {
    case 'string':
      return isInteger(from) || from.kind === 'bool';
    case 'int32':
      return from.kind === 'bool';
    case 'int64':
      return from.kind === 'int32' || from.kind === 'bool';
    case 'float64':
      return isInteger(from) || isFloat(from) || from.kind === 'decimal';
    case 'decimal': {
      const digits = from.kind === 'decimal' ? from.precision - from.scale : from.kind === 'int32' ? 10 : 19;
      const scale = from.kind === 'decimal' ? from.scale : 0;
      return (isInteger(from) || from.kind === 'decimal') && to.scale >= scale && to.precision - to.scale >= digits;
    }
    case 'date':
      return from.kind === 'timestamp';
    default:
      return false;
  }
}

function refuse(why: string): FeatureStoreError {
  return new FeatureStoreError('INVALID_ARGUMENT', why);
}
