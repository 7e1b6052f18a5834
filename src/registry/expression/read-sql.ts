/** From the syntax tree that DuckDB makes of an expression to ours; what is no scalar expression is refused, and so is what has no name here. */
import type { ValueType } from '../../definitions/value-type.ts';
import { FeatureStoreError } from '../../errors.ts';
import type { SqlLiteral, SqlNode } from './tree.ts';

/** A node of DuckDB's tree, as its `json_serialize_sql` writes it. */
type Node = Readonly<Record<string, unknown>> & { readonly class: string; readonly type: string };

const comparisons: Readonly<Record<string, string>> = {
  COMPARE_EQUAL: '=',
  COMPARE_NOTEQUAL: '<>',
  COMPARE_LESSTHAN: '<',
  COMPARE_LESSTHANOREQUALTO: '<=',
  COMPARE_GREATERTHAN: '>',
  COMPARE_GREATERTHANOREQUALTO: '>=',
  COMPARE_DISTINCT_FROM: 'is distinct from',
  COMPARE_NOT_DISTINCT_FROM: 'is not distinct from',
};

const operators: Readonly<Record<string, string>> = {
  OPERATOR_NOT: 'not',
  OPERATOR_IS_NULL: 'is null',
  OPERATOR_IS_NOT_NULL: 'is not null',
  OPERATOR_COALESCE: 'coalesce',
  COMPARE_IN: 'in',
};

/** Functions under another name than the one that is written. */
const functions: Readonly<Record<string, string>> = { '~~': 'like', date_part: 'extract', ceiling: 'ceil', substr: 'substring' };

const castTypes: Readonly<Record<string, ValueType>> = {
  BOOLEAN: { kind: 'bool' },
  INTEGER: { kind: 'int32' },
  BIGINT: { kind: 'int64' },
  FLOAT: { kind: 'float32' },
  DOUBLE: { kind: 'float64' },
  VARCHAR: { kind: 'string' },
  DATE: { kind: 'date' },
  'TIMESTAMP WITH TIME ZONE': { kind: 'timestamp' },
};

/** Reads what `json_serialize_sql('select ' || expression)` answers; INVALID_ARGUMENT says what is not accepted. */
export function readSql(json: string): SqlNode {
  // JSON.parse rounds whole numbers of more than 53 bits; within a string a quote has a backslash before it.
  const exact = json
    .replaceAll(/"value":(-?\d+)(?=[,}])/g, '"value":"$1"')
    .replaceAll(/"value":(-?(?:Infinity|inf|nan|NaN))(?=[,}])/g, '"value":"$1"');
  const answer = JSON.parse(exact) as { error: boolean; error_message?: string; statements?: { node: Node }[] };
  if (answer.error) throw refuse(firstLine(String(answer.error_message)));
  const [statement, ...others] = answer.statements ?? [];
  const node = statement?.node;
  if (node === undefined || others.length > 0 || !isPlainSelect(node)) throw refuse('it is no expression but more SQL');
  const list = node.select_list as Node[];
  if (list.length !== 1) throw refuse(`it is ${list.length} expressions, and one is wanted`);
  const [expression] = list as [Node];
  if (expression.alias !== '') throw refuse('it names its result; leave the name out');
  return read(expression);
}

/** Nothing but a list of expressions: no table, condition, grouping, order or limit. */
function isPlainSelect(node: Node): boolean {
  return (
    node.type === 'SELECT_NODE' &&
    (node.from_table as Node).type === 'EMPTY' &&
    node.where_clause === null &&
    (node.group_expressions as unknown[]).length === 0 &&
    (node.modifiers as unknown[]).length === 0 &&
    ((node.cte_map as { map: unknown[] }).map ?? []).length === 0 &&
    node.having === null &&
    node.qualify === null &&
    node.sample === null
  );
}

function read(node: Node): SqlNode {
  switch (node.class) {
    case 'COLUMN_REF': {
      const names = node.column_names as string[];
      if (names.length !== 1) throw refuse(`"${names.join('.')}" is no column; columns are named by themselves`);
      return { kind: 'column', name: names[0] as string };
    }
    case 'CONSTANT':
      return { kind: 'literal', literal: readConstant(node.value as Constant) };
    case 'COMPARISON':
      return call(nameOf(comparisons, node), node.left, node.right);
    case 'CONJUNCTION':
      return call(node.type === 'CONJUNCTION_AND' ? 'and' : 'or', ...(node.children as Node[]));
    case 'BETWEEN':
      return call('and', call('>=', node.input, node.lower), call('<=', node.input, node.upper));
    case 'OPERATOR':
      if (node.type === 'COMPARE_NOT_IN') return call('not', call('in', ...(node.children as Node[])));
      return call(nameOf(operators, node), ...(node.children as Node[]));
    case 'CASE': {
      const checks = node.case_checks as { when_expr: Node; then_expr: Node }[];
      return call('case', ...checks.flatMap((check) => [check.when_expr, check.then_expr]), node.else_expr);
    }
    case 'CAST':
      return readCast(node);
    case 'FUNCTION':
      return readFunction(node);
    default:
      throw refuse(`${what(node)} is no scalar expression of one event`);
  }
}

interface Constant {
  readonly type: { readonly id: string; readonly type_info: { readonly scale?: number } | null };
  readonly is_null: boolean;
  readonly value?: unknown;
}

function readConstant({ type, is_null: isNull, value }: Constant): SqlLiteral {
  if (isNull) return { kind: 'null' };
  switch (type.id) {
    case 'VARCHAR':
      return { kind: 'string', value: value as string };
    case 'INTEGER':
    case 'BIGINT':
      return { kind: 'integer', value: BigInt(value as string) };
    case 'DECIMAL':
      return { kind: 'decimal', unscaled: BigInt(value as string), scale: type.type_info?.scale as number };
    case 'DOUBLE': {
      const number = Number(value);
      if (!Number.isFinite(number)) throw refuse('a number in it is larger than any float64');
      return { kind: 'float', value: number };
    }
    default:
      throw refuse(`a number in it is outside int64 (it reads as ${type.id})`);
  }
}

function readCast(node: Node): SqlNode {
  const { id, type_info: info } = node.cast_type as { id: string; type_info: { width?: number; scale?: number } | null };
  const child = node.child as Node;
  const constant = child.class === 'CONSTANT' ? (child.value as Constant) : undefined;
  // This is how true and false are written in the tree.
  if (id === 'BOOLEAN' && constant?.type.id === 'VARCHAR' && /^[tf]$/.test(String(constant.value))) {
    return { kind: 'literal', literal: { kind: 'bool', value: constant.value === 't' } };
  }
  if (node.try_cast === true) throw refuse('try_cast is not accepted; a cast that fails gives null anyway');
  const type: ValueType | undefined =
    id === 'DECIMAL' ? { kind: 'decimal', precision: info?.width as number, scale: info?.scale as number } : castTypes[id];
  if (type === undefined) throw refuse(`a cast to ${id} is not accepted`);
  return { kind: 'cast', arg: read(child), type };
}

function readFunction(node: Node): SqlNode {
  const written = String(node.function_name);
  const children = node.children as Node[];
  const hasMore = node.distinct === true || node.filter !== null || (node.order_bys as { orders: unknown[] }).orders.length > 0;
  if (hasMore) throw refuse(`${written} with distinct, filter or an order is an aggregate, and no scalar expression`);
  if (written === '!~~') return call('not', call('like', ...children));
  return call(Object.hasOwn(functions, written) ? (functions[written] as string) : written, ...children);
}

function call(name: string, ...args: readonly unknown[]): SqlNode {
  return { kind: 'call', name, args: args.map((arg) => (isRead(arg) ? arg : read(arg as Node))) };
}

function isRead(arg: unknown): arg is SqlNode {
  return Object.hasOwn(arg as object, 'kind');
}

function nameOf(names: Readonly<Record<string, string>>, node: Node): string {
  const name = names[node.type];
  if (name === undefined) throw refuse(`${what(node)} is not accepted`);
  return name;
}

const spoken: Readonly<Record<string, string>> = {
  SUBQUERY: 'a subquery',
  WINDOW: 'a window function',
  STAR: '*',
  PARAMETER: 'a parameter',
  LAMBDA: 'a lambda',
  COLLATE: 'a collation',
};

function what(node: Node): string {
  return spoken[node.class] ?? node.type.toLowerCase().replaceAll('_', ' ');
}

function firstLine(text: string): string {
  return text.split('\n')[0] as string;
}

function refuse(why: string): FeatureStoreError {
  return new FeatureStoreError('INVALID_ARGUMENT', why);
}
