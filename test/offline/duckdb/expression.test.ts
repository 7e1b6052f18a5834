/** Rule 6.8: every line of docs/reference/expressions.md, computed by the engine; and what is refused, by name. */
import { readFileSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';
import { describe, expect, it } from 'vitest';
import { parseValueType } from '../../../src/definitions/value-type.ts';
import { FeatureStoreError } from '../../../src/errors.ts';
import { compileExpression } from '../../../src/offline/duckdb/expression.ts';
import { checkExpression } from '../../../src/registry/expression/check.ts';
import { expressionFunctions } from '../../../src/registry/expression/functions.ts';
import { readSql } from '../../../src/registry/expression/read-sql.ts';
import { parseExpression } from '../../support/parse-expression.ts';

const columns = [
  { name: 'event_type', type: parseValueType('string'), values: ['view', 'click', 'completion'] },
  { name: 'seconds', type: parseValueType('float64') },
  { name: 'items', type: parseValueType('list(int64)') },
  { name: 'seen_at', type: parseValueType('timestamp') },
  { name: 'n', type: parseValueType('int64') },
];

async function check(text: string) {
  return checkExpression(readSql(await parseExpression(text)), columns);
}

async function compute(text: string): Promise<string | null> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  try {
    await connection.run("set timezone = 'UTC'");
    const reader = await connection.runAndReadAll(`select ${compileExpression(await check(text))}`);
    const value = reader.getRows()[0]?.[0];
    return value === null || value === undefined ? null : String(value);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

const page = readFileSync(new URL('../../../docs/reference/expressions.md', import.meta.url), 'utf8');
const examples = [...page.matchAll(/^\| (?:.*?) ?\| `((?:[^`])+)` \| `?(.*?)`?(?:: .*)? \|$/gm)].map(
  ([, text = '', result = '']) => ({
    text: text.replaceAll('\\|', '|'),
    result: result === 'null' ? null : result,
  }),
);

describe('docs/reference/expressions.md', () => {
  it('has a line for every function', () => {
    const written = page.replaceAll('\\|', '|');
    const rows = page.split('\n').filter((line) => line.startsWith('| '));
    expect(examples.length).toBe(rows.length - 1);
    for (const name of Object.keys(expressionFunctions)) expect([name, written.includes(name)]).toEqual([name, true]);
  });

  it.each(examples)('$text is $result', async ({ text, result }) => {
    expect(await compute(text)).toBe(result);
  });
});

describe('what is no expression of an event is refused', () => {
  it.each([
    ['event_typ', '"event_typ" is no column of the source; did you mean "event_type"?'],
    ["event_type = 'clik'", `'clik' is none of the values of column "event_type"; did you mean "click"?`],
    ["event_type in ('view', 'purchase')", `'purchase' is none of the values of column "event_type"`],
    ['now() > seen_at', 'now is not among the functions of expressions'],
    ['lowr(event_type)', 'lowr is not among the functions of expressions; did you mean "lower"?'],
    ['sum(n)', 'sum is not among the functions of expressions'],
    ['count(distinct n)', 'count with distinct, filter or an order is an aggregate'],
    ['row_number() over ()', 'a window function is no scalar expression of one event'],
    ['(select 1)', 'a subquery is no scalar expression of one event'],
    ['n in (select 1)', 'a subquery is no scalar expression of one event'],
    ["(select max(x) from read_parquet('/etc/passwd'))", 'a subquery is no scalar expression of one event'],
    ['n, seconds', 'it is 2 expressions, and one is wanted'],
    ['n as m', 'it names its result; leave the name out'],
    ['n from t', 'it is no expression but more SQL'],
    ['n limit 1', 'it is no expression but more SQL'],
    ['n; drop table t', 'Only SELECT statements can be serialized'],
    ['n; select 1', 'it is no expression but more SQL'],
    ['*', '* is no scalar expression of one event'],
    ['$1', 'a parameter is no scalar expression of one event'],
    ['t.n', '"t.n" is no column'],
    ['n +', 'syntax error'],
    ['event_type > 1', '> is not made for string, int64'],
    ["seen_at > '2026-01-01'", "write an instant as timestamptz '2026-03-10T12:00:00Z'"],
    ["seen_at > timestamptz '2026-01-01 00:00'", 'is no instant: write it with an offset'],
    ['cast(seconds as int)', 'a cast of float64 to int32 would round'],
    ['cast(event_type as bigint)', 'a cast of string to int64 would round, or engines disagree on it'],
    ['try_cast(n as varchar)', 'try_cast is not accepted'],
    ["seen_at at time zone current_setting('timezone')", 'timezone is not among the functions'],
    ['items[1]', 'array extract is not accepted'],
    ['items = items', '= is not made for list(int64), list(int64)'],
    ['event_type like n', 'like is not made for string, int64'],
    ["event_type like 'a\\%'", 'the pattern written out and without a backslash'],
    ['substring(event_type, n, 1)', 'both written out'],
    ['n and true', 'and is not made for int64, bool'],
    ['1e999 > seconds', 'larger than any float64'],
    ['170141183460469231731687303715884105727 > n', 'outside int64'],
    ['random() > 0.5', 'random is not among the functions'],
    ["date_trunc('second', seen_at) = seen_at", 'unit one of year, month'],
  ])('%s', async (text, message) => {
    const refused = await check(text).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(refused).toBeInstanceOf(FeatureStoreError);
    expect((refused as FeatureStoreError).code).toBe('INVALID_ARGUMENT');
    expect((refused as Error).message).toContain(message);
  });
});
