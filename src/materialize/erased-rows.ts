/** Which rows of a source's archive are of erased entities: by the columns that its views take their join keys from (rule 8.4). */
import type { ErasedRows, ReadErasedRows } from '../offline/archive/erased.ts';
import type { DecodedKey } from '../online/encoding/decode-key.ts';
import type { OnlineStore } from '../online/store.ts';
import { createErasureIndex } from '../online/write/erasure-index.ts';
import type { RegistryDocument, ViewDocument } from '../registry/document.ts';

export interface ErasedRowsParts {
  /** Asked for when something was pushed to a source: only then need the store be open. */
  store(): OnlineStore;
  /** What is applied; undefined where nothing is yet, so that nothing can be erased either. */
  registry(): RegistryDocument | undefined;
}

/** What was found last of a source, and of what. */
interface Found {
  readonly applied: RegistryDocument;
  readonly erasures: readonly DecodedKey[];
  readonly rows: readonly ErasedRows[];
}

/** A row counts as an entity's for all views of its source, where one of them has the entity's join keys among its own. */
export function createErasedRows({ store, registry }: ErasedRowsParts): ReadErasedRows {
  let index: ReturnType<typeof createErasureIndex> | undefined;
  const found = new Map<string, Found>();
  return async (source) => {
    const applied = registry();
    if (applied === undefined) return [];
    index ??= createErasureIndex(store(), applied.project);
    const erasures = await index.read();
    const last = found.get(source);
    if (last?.applied === applied && last.erasures === erasures) return last.rows;
    const views = applied.views.filter((view) => view.source === source);
    const rows = views.flatMap((view) => erasures.flatMap((erasure) => rowsOf(view, erasure)));
    found.set(source, { applied, erasures, rows });
    return rows;
  };
}

/** What the keys of a view say of an erasure: nothing where a join key of the entity is not among them. */
function rowsOf({ keys }: ViewDocument, { joinKeys, parts }: DecodedKey): readonly ErasedRows[] {
  const columns = joinKeys.map((name) => keys.find((key) => key.name === name)?.column);
  if (columns.length === 0 || columns.includes(undefined)) return [];
  return [parts.map((value, at) => ({ column: columns[at] as string, value }))];
}
