/** Binds definitions written in a test against tables written in a test. */

import { parseConfig } from '../../src/config.ts';
import { FeatureStoreError } from '../../src/errors.ts';
import { type BindTools, type BoundDocument, bindRepository, type DescribeTable } from '../../src/registry/bind.ts';
import type { Problem } from '../../src/registry/problems.ts';
import type { Definition } from '../../src/registry/repository.ts';
import { parseExpression } from '../support/parse-expression.ts';
import { statementTools } from '../support/statement-tools.ts';

export type Tables = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Tables by path, each with its columns and their DuckDB types. */
export function describeFrom(tables: Tables): DescribeTable {
  return async (table) => {
    const path = table.paths[0] as string;
    const columns = tables[path];
    if (columns === undefined) throw new FeatureStoreError('NOT_FOUND', `no file matches "${path}"`);
    return Object.entries(columns).map(([name, type]) => ({ name, type }));
  };
}

/** What binding needs beside tables. */
export function toolsFor(describeTable: DescribeTable): BindTools {
  return { describeTable, parseExpression, ...statementTools };
}

/** Binds; every definition is said to come from `features/KIND.ts`. */
export async function bindDefinitions(definitions: readonly unknown[], tables: Tables): Promise<BoundDocument> {
  const loaded = definitions.map((definition) => ({
    definition: definition as Definition,
    file: `features/${(definition as Definition).kind}.ts`,
  }));
  const repository = { root: '/repository', config: parseConfig({ project: 'test' }, '/repository'), definitions: loaded };
  return await bindRepository(repository, toolsFor(describeFrom(tables)));
}

/** The messages of everything wrong; empty when the definitions bind. */
export async function problemsOf(definitions: readonly unknown[], tables: Tables): Promise<string[]> {
  try {
    await bindDefinitions(definitions, tables);
    return [];
  } catch (error) {
    if (!(error instanceof FeatureStoreError)) throw error;
    return (error.details.problems as Problem[]).map(({ message }) => message);
  }
}
