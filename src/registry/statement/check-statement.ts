/**
 * Checks the syntax tree that DuckDB makes of a statement (semantics 11): whatever is not known to depend on the inputs' rows and the tick
 * alone is refused by its name. What is not named here or in accepted-calls is refused, so that a new kind of node is.
 */
import { didYouMean } from '../../errors.ts';
import { acceptCast, acceptFunction, acceptOperator, acceptWindow, orderings } from './accepted-calls.ts';
import { clockNames } from './functions.ts';
import { list, type Node, refuse, spoken } from './syntax-tree.ts';

export interface CheckedStatement {
  readonly usesTick: boolean;
  /** The inputs that it reads, in the order given. */
  readonly inputs: readonly string[];
  /** Whether it may read a column of an input: every one of them where it has a `*`. */
  mayRead(column: string): boolean;
}

interface Scope {
  /** What a table may be named here: inputs and common table expressions. */
  readonly tables: ReadonlySet<string>;
  readonly found: { usesTick: boolean; readsAll: boolean; readonly names: Set<string>; readonly inputs: Set<string> };
}

/** Checks what `json_serialize_sql(statement)` answers; INVALID_ARGUMENT names what is not accepted, and the nearest that is. */
export function checkStatement(json: string, inputs: readonly string[]): CheckedStatement {
  const answer = JSON.parse(json) as { error: boolean; error_message?: string; statements?: { node: Node }[] };
  if (answer.error) throw refuse(readableError(String(answer.error_message)));
  const [statement, ...others] = answer.statements ?? [];
  if (statement === undefined || others.length > 0) throw refuse('it is not one statement; write a single select');
  const found = { usesTick: false, readsAll: false, names: new Set<string>(), inputs: new Set<string>() };
  checkQuery(statement.node, { tables: new Set(inputs), found });
  return {
    usesTick: found.usesTick,
    inputs: inputs.filter((input) => found.inputs.has(input)),
    mayRead: (column) => found.readsAll || found.names.has(column.toLowerCase()),
  };
}

function checkQuery(node: Node, outer: Scope): void {
  const scope = addCommonTables(node, outer);
  switch (node.type) {
    case 'SELECT_NODE':
      if (node.sample !== null) throw refuse('it takes a sample, which is another one each time');
      for (const expression of list(node.select_list)) check(expression, scope);
      checkTable(node.from_table as Node, scope);
      for (const part of ['where_clause', 'having', 'qualify']) checkOptional(node[part], scope);
      for (const expression of list(node.group_expressions)) check(expression, scope);
      break;
    case 'SET_OPERATION_NODE':
      for (const side of list(node.children ?? [node.left, node.right])) checkQuery(side, scope);
      break;
    default:
      throw refuse(`${spoken(node)} is not accepted`);
  }
  for (const modifier of list(node.modifiers)) checkModifier(modifier, scope);
}

/** A common table expression is known to those after it and to the query itself, and stands before an input of its name. */
function addCommonTables(node: Node, outer: Scope): Scope {
  let scope = outer;
  for (const { key, value } of list((node.cte_map as Node).map)) {
    const query = (value as { query: { node: Node } }).query.node;
    checkQuery(query, scope);
    scope = { ...scope, tables: new Set([...scope.tables, `with ${String(key).toLowerCase()}`]) };
  }
  return scope;
}

function checkTable(table: Node, scope: Scope): void {
  if (table.sample != null) throw refuse('it takes a sample, which is another one each time');
  switch (table.type) {
    case 'EMPTY':
      return;
    case 'BASE_TABLE':
      checkTableName(table, scope);
      return;
    case 'SUBQUERY':
      checkQuery((table.subquery as { node: Node }).node, scope);
      return;
    case 'EXPRESSION_LIST':
      for (const row of table.values as Node[][]) for (const value of row) check(value, scope);
      return;
    case 'JOIN':
      if (table.ref_type === 'NATURAL') throw refuse('a natural join depends on all columns there are; write join … using (…)');
      for (const column of table.using_columns as string[]) scope.found.names.add(column.toLowerCase());
      checkTable(table.left as Node, scope);
      checkTable(table.right as Node, scope);
      checkOptional(table.condition, scope);
      return;
    case 'TABLE_FUNCTION': {
      const name = String((table.function as Node).function_name);
      throw refuse(`it reads from the table function ${name}(…); it may read from ${inputsOf(scope)} alone`);
    }
    default:
      throw refuse(`${spoken(table)} is not accepted; it may read from ${inputsOf(scope)} alone`);
  }
}

function checkTableName(table: Node, { tables, found }: Scope): void {
  const path = [table.catalog_name, table.schema_name, table.table_name].filter((part) => part !== '').map(String);
  const name = path.join('.');
  const inputs = [...tables].filter((known) => !known.startsWith('with '));
  if (path.length === 1 && tables.has(`with ${name.toLowerCase()}`)) return;
  const input = path.length === 1 ? inputs.find((known) => known === name.toLowerCase()) : undefined;
  if (input === undefined || table.at_clause != null) {
    throw refuse(`"${name}" is none of its inputs${didYouMean(name, inputs) || `: it may read from ${inputs.join(', ')}`}`);
  }
  found.inputs.add(input);
}

function inputsOf({ tables }: Scope): string {
  return [...tables].filter((known) => !known.startsWith('with ')).join(', ');
}

function checkModifier(modifier: Node, scope: Scope): void {
  switch (modifier.type) {
    case 'ORDER_MODIFIER':
      checkAll(orderings(modifier.orders), scope);
      return;
    case 'LIMIT_MODIFIER':
      checkOptional(modifier.limit, scope);
      checkOptional(modifier.offset, scope);
      return;
    case 'DISTINCT_MODIFIER':
      for (const expression of list(modifier.distinct_on_targets)) check(expression, scope);
      return;
    default:
      throw refuse(`${spoken(modifier)} is not accepted`);
  }
}

function checkOptional(expression: unknown, scope: Scope): void {
  if (expression != null) check(expression as Node, scope);
}

function checkAll(expressions: unknown, scope: Scope): void {
  for (const expression of list(expressions)) check(expression, scope);
}

function check(node: Node, scope: Scope): void {
  switch (node.class) {
    case 'COLUMN_REF':
      checkColumn(node.column_names as string[], scope);
      return;
    case 'CONSTANT':
      return;
    case 'PARAMETER':
      if (node.identifier !== 'tick') throw refuse(`$${String(node.identifier)} is no parameter: there is $tick alone`);
      scope.found.usesTick = true;
      return;
    case 'COMPARISON':
      check(node.left as Node, scope);
      check(node.right as Node, scope);
      return;
    case 'CONJUNCTION':
      checkAll(node.children, scope);
      return;
    case 'BETWEEN':
      checkAll([node.input, node.lower, node.upper], scope);
      return;
    case 'OPERATOR':
      checkAll(acceptOperator(node), scope);
      return;
    case 'CASE':
      for (const { when_expr: condition, then_expr: result } of list(node.case_checks)) checkAll([condition, result], scope);
      check(node.else_expr as Node, scope);
      return;
    case 'CAST':
      checkAll(acceptCast(node), scope);
      return;
    case 'FUNCTION':
      checkAll(acceptFunction(node), scope);
      return;
    case 'WINDOW':
      checkAll(acceptWindow(node), scope);
      return;
    case 'SUBQUERY':
      checkOptional(node.child, scope);
      checkQuery((node.subquery as { node: Node }).node, scope);
      return;
    case 'STAR':
      if (node.columns === true || node.expr != null) throw refuse('COLUMNS(…) is not accepted; name the columns');
      scope.found.readsAll = true;
      for (const { value } of list(node.replace_list)) check(value as Node, scope);
      return;
    default:
      throw refuse(`${spoken(node)} is not accepted`);
  }
}

function checkColumn(names: readonly string[], { found }: Scope): void {
  const [first = ''] = names;
  if (names.length === 1 && clockNames.includes(first.toLowerCase())) {
    throw refuse(`${first} depends on the clock or the session; the time that a run may know is $tick`);
  }
  // An input named as if it were a column is its whole row.
  if (names.length === 1 && found.inputs.has(first.toLowerCase())) found.readsAll = true;
  for (const name of names) found.names.add(name.toLowerCase());
}

function readableError(text: string): string {
  if (text.startsWith('Only SELECT statements')) return 'it is no select';
  return text.split('\n')[0] as string;
}
