/** Expressions over events in DuckDB's dialect: every function of the published list in the one meaning that it has there (rule 6.8). */
import type { ValueType } from '../../definitions/value-type.ts';
import { columnTypeOf } from '../../registry/bind/column-type.ts';
import { commonNumber, commonType, isFloat, isInteger, isNumber } from '../../registry/expression/functions.ts';
import type { CallExpression, Expression } from '../../registry/expression/tree.ts';
import { quoteName, quoteText } from './sql.ts';

/**
 * The expression over columns of their declared types. What an event's values cannot be computed for (an overflow) is null, and fails
 * nothing.
 */
export function compileExpression(expression: Expression): string {
  if (expression.kind === 'column') return quoteName(expression.name);
  return `try(cast(${compile(expression)} as ${columnTypeOf(expression.type)}))`;
}

/** In the type in which values of a type are computed: integers and decimals as wide as there is, so that only a result can overflow. */
function compile(expression: Expression): string {
  switch (expression.kind) {
    case 'column':
      return isNumber(expression.type)
        ? `cast(${quoteName(expression.name)} as ${wideType(expression.type)})`
        : quoteName(expression.name);
    case 'literal':
      return compileLiteral(expression.value, wideType(expression.type));
    case 'call':
      return `(${compileCall(expression)})`;
  }
}

function compileLiteral(value: null | boolean | number | string, type: string): string {
  if (value === null) return `cast(null as ${type})`;
  if (typeof value === 'boolean') return String(value);
  return `cast(${quoteText(String(value))} as ${type})`;
}

function wideType(type: ValueType): string {
  if (isInteger(type)) return 'HUGEINT';
  if (isFloat(type)) return 'DOUBLE';
  return type.kind === 'decimal' ? `DECIMAL(38,${type.scale})` : columnTypeOf(type);
}

function convert(expression: Expression, to: ValueType): string {
  const compiled = compile(expression);
  return wideType(expression.type) === wideType(to) ? compiled : `cast(${compiled} as ${wideType(to)})`;
}

const upper = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const lower = upper.toLowerCase();

function compileCall({ name, args, type }: CallExpression): string {
  const own = args.map(compile);
  const [a = '', b = ''] = own;
  const common = commonType(args.map((arg) => arg.type)) as ValueType;
  const alike = () => args.map((arg) => convert(arg, common));
  switch (name) {
    case '=':
    case '<>':
    case '<':
    case '<=':
    case '>':
    case '>=':
    case 'is distinct from':
    case 'is not distinct from':
      return alike().join(` ${name} `);
    case 'in': {
      const [first, ...others] = alike();
      return `${first} in (${others.join(', ')})`;
    }
    case 'is null':
    case 'is not null':
      return `${a} ${name}`;
    case 'and':
    case 'or':
      return own.join(` ${name} `);
    case 'not':
      return `not ${a}`;
    case 'case':
      return compileCase(args, type);
    case 'coalesce':
    case 'nullif':
    case 'least':
    case 'greatest':
      return `${name}(${alike().join(', ')})`;
    case '+':
    case '-':
    case '%':
      return args.length === 1
        ? `-${convert(args[0] as Expression, type)}`
        : args.map((arg) => convert(arg, type)).join(` ${name} `);
    case '*':
      return args.map((arg) => convert(arg, factorType(arg.type, type))).join(' * ');
    case '/':
      return args.map((arg) => convert(arg, type)).join(' / ');
    case 'sqrt': {
      const value = convert(args[0] as Expression, type);
      return `case when ${value} < 0 then null else sqrt(${value}) end`;
    }
    case '||':
      return `${a} || ${b}`;
    case 'lower':
      return `translate(${a}, '${upper}', '${lower}')`;
    case 'upper':
      return `translate(${a}, '${lower}', '${upper}')`;
    case 'substring':
      return `substring(${a}, cast(${b} as bigint), cast(${own[2]} as bigint))`;
    case 'like':
      return `${a} like ${b}`;
    case 'extract':
      return `date_part(${a}, ${b})`;
    case 'year':
    case 'month':
    case 'day':
    case 'hour':
    case 'minute':
    case 'isodow':
      return `date_part('${name}', ${a})`;
    case 'cast':
      return `cast(${a} as ${wideType(type)})`;
    default:
      // abs, floor, ceil, length, trim, starts_with, ends_with, contains and date_trunc are DuckDB's own.
      return `${name}(${own.join(', ')})`;
  }
}

/** Of a product of decimals each factor keeps its own scale, and an integer has none. */
function factorType(type: ValueType, product: ValueType): ValueType {
  if (product.kind !== 'decimal') return product;
  return type.kind === 'decimal' ? type : (commonNumber([type, { kind: 'decimal', precision: 38, scale: 0 }]) as ValueType);
}

function compileCase(args: readonly Expression[], type: ValueType): string {
  const branches: string[] = [];
  for (let at = 0; at + 1 < args.length; at += 2) {
    branches.push(`when ${compile(args[at] as Expression)} then ${convert(args[at + 1] as Expression, type)}`);
  }
  return `case ${branches.join(' ')} else ${convert(args.at(-1) as Expression, type)} end`;
}
