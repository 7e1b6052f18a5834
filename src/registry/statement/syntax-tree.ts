/** The syntax tree of a statement as DuckDB's `json_serialize_sql` writes it, and how its parts are called in what is told to people. */
import { FeatureStoreError } from '../../errors.ts';

export type Node = Readonly<Record<string, unknown>>;

/** Of nothing, none. */
export function list(nodes: unknown): readonly Node[] {
  return (nodes ?? []) as readonly Node[];
}

const spokenTypes: Readonly<Record<string, string>> = {
  RECURSIVE_CTE_NODE: 'a recursive common table expression',
  LIMIT_PERCENT_MODIFIER: 'a limit in percent',
  SHOW_REF: 'show or describe',
  PIVOT: 'pivot',
  LAMBDA: 'a lambda',
  COLLATE: 'a collation',
  POSITIONAL_REFERENCE: 'a column by its place (#1)',
  ARRAY_EXTRACT: 'an element by its place ([1])',
};

/** A kind of node in words. */
export function spoken(node: Node): string {
  const type = String(node.type);
  return spokenTypes[type] ?? type.toLowerCase().replaceAll('_', ' ');
}

export function refuse(why: string): FeatureStoreError {
  return new FeatureStoreError('INVALID_ARGUMENT', why);
}
