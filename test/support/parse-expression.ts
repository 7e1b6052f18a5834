/** Syntax trees of expressions, as the engine makes them, for tests that bind definitions without files. */
import { DuckDBInstance } from '@duckdb/node-api';

let connection: ReturnType<typeof connect> | undefined;

async function connect() {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  return await instance.connect();
}

export async function parseExpression(text: string): Promise<string> {
  connection ??= connect();
  const reader = await (await connection).runAndReadAll('select cast(json_serialize_sql($1::varchar) as varchar)', [
    `select ${text}`,
  ]);
  return String(reader.getRows()[0]?.[0]);
}
