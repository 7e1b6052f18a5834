/** The SQL that a statement becomes: its inputs are what they are given to be, whatever else the engine could find under their names. */
import { parseValueType } from '../../definitions/value-type.ts';
import { columnTypeOf } from '../../registry/bind/column-type.ts';
import type { QueryDocument, QueryInputDocument } from '../../registry/document.ts';
import { quoteName } from '../duckdb/sql.ts';

/** An input as a query over its rows. */
export interface InputRelation {
  readonly name: string;
  readonly sql: string;
}

/** Names stand before everything that the engine knows by itself; the line's end ends a comment that the statement ends with. */
export function composeStatement(sql: string, relations: readonly InputRelation[]): string {
  const named = relations.map((relation) => `${quoteName(relation.name)} as (${relation.sql})`);
  const statement = `select * from (\n${withoutSemicolon(sql)}\n)`;
  return named.length === 0 ? statement : `with ${named.join(',\n')}\n${statement}`;
}

/** An input of the right columns without any row. */
export function emptyRelation({ source, columns }: QueryInputDocument): InputRelation {
  const nulls = columns.map(({ name, type }) => `cast(null as ${columnTypeOf(parseValueType(type))}) as ${quoteName(name)}`);
  return { name: source, sql: `select ${nulls.join(', ')} where false` };
}

/** The value of `$tick`, where the statement has one: the engine refuses a value that nothing asks for. */
export function tickValue({ usesTick }: Pick<QueryDocument, 'usesTick'>, tickUs: bigint): Readonly<Record<string, bigint>> {
  return usesTick ? { tick: tickUs } : {};
}

function withoutSemicolon(sql: string): string {
  return sql.replace(/;\s*$/, '');
}
