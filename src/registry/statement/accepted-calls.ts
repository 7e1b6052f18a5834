/**
 * Which operators, functions, windows and casts a statement may have (semantics 11), each by its name. What is accepted gives the
 * expressions within it, which are still to be checked.
 */
import { didYouMean, type FeatureStoreError } from '../../errors.ts';
import { expressionFunctions, timeParts, truncations } from '../expression/functions.ts';
import {
  aggregates,
  intervalFunctions,
  orderedAggregates,
  statementFunctions,
  wholeFunctions,
  windowFunctions,
  writtenNames,
} from './functions.ts';
import { list, type Node, refuse, spoken } from './syntax-tree.ts';

const operators = [
  'OPERATOR_NOT',
  'OPERATOR_IS_NULL',
  'OPERATOR_IS_NOT_NULL',
  'OPERATOR_COALESCE',
  'OPERATOR_NULLIF',
  'COMPARE_IN',
  'COMPARE_NOT_IN',
];

export function acceptOperator(node: Node): readonly Node[] {
  if (!operators.includes(String(node.type))) throw refuse(`${spoken(node)} is not accepted`);
  return list(node.children);
}

export function acceptFunction(node: Node): readonly Node[] {
  const written = String(node.function_name).toLowerCase();
  const name = Object.hasOwn(writtenNames, written) ? (writtenNames[written] as string) : written;
  const children = list(node.children);
  requireBuiltIn(node);
  if (intervalFunctions.includes(name)) return children.map(withoutTruncation);
  const orders = list((node.order_bys as Node | null)?.orders);
  if (orderedAggregates.includes(name) && orders.length === 0) {
    throw refuse(`${name} has no order of its own, so that its result is any; write ${name}(… order by …)`);
  }
  if (!isAggregate(name)) {
    requireKnown(name);
    if (node.distinct === true || node.filter != null)
      throw refuse(`${name} is no aggregate: it takes no distinct and no filter`);
    if (name === 'extract') requireWord(name, children[0], timeParts);
    if (name === 'date_trunc') requireWord(name, children[0], truncations);
  }
  return [...children, ...optional(node.filter), ...orderings(orders)];
}

export function acceptWindow(node: Node): readonly Node[] {
  const written = String(node.function_name).toLowerCase();
  const name = Object.hasOwn(writtenNames, written) ? (writtenNames[written] as string) : written;
  requireBuiltIn(node);
  if (!windowFunctions.includes(name) && !isAggregate(name)) throw unknownFunction(name, [...windowFunctions, ...aggregates]);
  return [
    ...['children', 'partitions'].flatMap((part) => list(node[part])),
    ...['orders', 'arg_orders'].flatMap((part) => orderings(node[part])),
    ...['start_expr', 'end_expr', 'offset_expr', 'default_expr', 'filter_expr'].flatMap((part) => optional(node[part])),
  ];
}

/** Names in the tree of what is written with signs come with the engine's own schema. */
function requireBuiltIn(node: Node): void {
  if (['', 'main'].includes(String(node.schema)) && node.catalog === '') return;
  throw refuse(`${[node.catalog, node.schema, node.function_name].filter((part) => part !== '').join('.')} is not accepted`);
}

function isAggregate(name: string): boolean {
  return aggregates.includes(name) || orderedAggregates.includes(name);
}

function requireKnown(name: string): void {
  if (Object.hasOwn(expressionFunctions, name) || statementFunctions.includes(name)) return;
  throw unknownFunction(name, [
    ...Object.keys(expressionFunctions),
    ...statementFunctions,
    ...aggregates,
    ...orderedAggregates,
    ...windowFunctions,
  ]);
}

function unknownFunction(name: string, known: readonly string[]): FeatureStoreError {
  const clock = /^(now|today|get_current_.*|transaction_timestamp|current_.*|random|uuid|gen_random_uuid)$/.test(name);
  const why = clock ? '; the time that a run may know is $tick' : didYouMean(name, known) || ' (docs/reference/definitions)';
  return refuse(`${name} is not among the functions of statements${why}`);
}

function requireWord(name: string, node: Node | undefined, words: readonly string[]): void {
  const word = String((node?.value as { value?: unknown } | undefined)?.value);
  if (node?.class === 'CONSTANT' && words.includes(word)) return;
  throw refuse(`the first argument of ${name} is one of ${words.join(', ')}, written out`);
}

/** `interval x day` truncates x, by nodes that nobody wrote. */
function withoutTruncation(node: Node): Node {
  const inner = node.class === 'CAST' ? (node.child as Node) : node;
  const argument = inner.class === 'FUNCTION' && inner.function_name === 'trunc' ? (list(inner.children)[0] as Node) : inner;
  return argument.class === 'CAST' && (argument.cast_type as Node).id === 'DOUBLE' ? (argument.child as Node) : argument;
}

const exactCasts = ['DOUBLE', 'FLOAT', 'VARCHAR', 'BOOLEAN', 'DATE', 'TIMESTAMP WITH TIME ZONE', 'INTERVAL', 'DECIMAL'];

export function acceptCast(node: Node): readonly Node[] {
  const { id, type_info: info } = node.cast_type as { id: string; type_info: { name?: string } | null };
  const type = id === 'UNBOUND' ? `type ${info?.name ?? 'of that name'}` : id;
  const child = node.child as Node;
  if (node.try_cast === true) throw refuse('try_cast is not accepted');
  if (['INTEGER', 'BIGINT'].includes(type)) {
    const written = String(child.function_name ?? '').toLowerCase();
    const name = Object.hasOwn(writtenNames, written) ? (writtenNames[written] as string) : written;
    const isWhole = wholeFunctions.includes(name) || ['CONSTANT', 'COMPARISON', 'CONJUNCTION'].includes(String(child.class));
    if (!isWhole) throw refuse(`a cast to ${type} would round, or engines disagree on it; write cast(floor(…) as ${type})`);
  } else if (!exactCasts.includes(type)) {
    throw refuse(`a cast to ${type} is not accepted; there are ${exactCasts.join(', ').toLowerCase()}`);
  }
  return [child];
}

/** What is ordered by. */
export function orderings(orders: unknown): readonly Node[] {
  return list(orders).map(({ expression }) => expression as Node);
}

function optional(expression: unknown): readonly Node[] {
  return expression == null ? [] : [expression as Node];
}
