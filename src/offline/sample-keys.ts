/** Keys of a view out of its source as it is now, the same ones as long as that does not change: those with the least hash. */
import type { LiteralValue } from '../definitions/literal.ts';
import type { SourceDocument, ViewDocument } from '../registry/document.ts';
import type { ContributionParts } from './contributions.ts';
import { readColumns } from './duckdb/read-columns.ts';
import { featureField } from './feature-field.ts';
import { readLiterals } from './literal-column.ts';
import { bindProjection } from './projection/bind.ts';
import { compileKeys } from './windows/compile-events.ts';

/** By join key of the view, in its order; one empty list each of a view without keys. None has a null. */
export async function sampleKeys(
  { engine, stateOf, again }: ContributionParts,
  view: ViewDocument,
  source: SourceDocument,
  most: number,
  signal: AbortSignal,
): Promise<readonly (readonly LiteralValue[])[]> {
  if (view.keys.length === 0) return [];
  return await again(source, async () => {
    const state = await stateOf(source);
    return await engine.session(signal, async (session) => {
      const { table } = await bindProjection(session, { view, source, state });
      const keys = compileKeys(view, 't.');
      const selected = keys.map(({ value }, at) => `${value} as k${at}`).join(', ');
      const present = keys.map(({ column }) => `${column} is not null`).join(' and ');
      const names = keys.map((_, at) => `k${at}`).join(', ');
      const sql = `select distinct ${selected} from ${table} as t where ${present} order by hash(${names}), ${names} limit ${most}`;
      const found: LiteralValue[][] = keys.map(() => []);
      const fields = view.keys.map(({ type }, at) => featureField(`k${at}`, { kind: type }));
      for await (const columns of readColumns(session, sql, fields, 65_536)) {
        for (const [at, { type }] of view.keys.entries()) {
          const column = columns[at];
          if (column !== undefined) found[at]?.push(...readLiterals(column, { kind: type }, 0, column.length));
        }
      }
      return found;
    });
  });
}
