/** Saved datasets as checks of drift read them. */
import type { Datasets } from '../dataset/datasets.ts';
import { type DatasetManifest, schemaOf } from '../dataset/manifest.ts';
import { formatReference } from '../dataset/name.ts';
import { planRows, streamRows } from '../dataset/open-rows.ts';
import { createRowCaches } from '../dataset/row-caches.ts';
import { parseRowsRequest } from '../dataset/rows-request.ts';
import type { Engine } from '../offline/duckdb/engine.ts';
import type { SavedTable } from '../validate/drift/from-dataset.ts';
import type { SavedReference } from '../validate/drift/request.ts';

/** Each block is read once. */
const noCaches = createRowCaches({ blockBytes: 0, vocabularyBytes: 0 });

/** Opens a dataset, and keeps delete from it until it is closed; of more than `most` rows it gives about so many, of each split its share. */
export async function openSavedTable(
  { datasets, engine }: { readonly datasets: Pick<Datasets, 'open'>; readonly engine: Engine },
  { dataset, split }: SavedReference,
  most: number,
): Promise<SavedTable> {
  const opened = await datasets.open(dataset);
  const { manifest } = opened;
  const reference = formatReference(manifest);
  const plan = (name: string | null | undefined, range: { readonly columns: readonly string[]; end?: number; seed?: number }) =>
    planRows(engine, opened, parseRowsRequest({ type: 'get_dataset', dataset: reference, split: name, ...range }), noCaches);
  try {
    if (split != null) await plan(split, { columns: [] });
  } catch (error) {
    opened.release();
    throw error;
  }
  const chosen = manifest.splits.filter(({ name }) => split == null || name === split);
  const total = chosen.reduce((sum, { rows }) => sum + rows, 0);
  return {
    dataset: reference,
    split: split ?? null,
    schema: schemaOf(manifest),
    columns: describeColumns(manifest, chosen.length === manifest.splits.length),
    time: { column: manifest.recipe.timestamp, timezone: manifest.recipe.timezone, at: manifest.recipe.at },
    joinKeys: manifest.recipe.join_keys,
    async *rows(columns, signal) {
      for (const { name, rows } of chosen) {
        // The first rows of a shuffled order are of blocks from everywhere.
        const part = total <= most ? {} : { seed: 0, end: Math.ceil((rows * most) / total) };
        for await (const { batch } of streamRows(opened, await plan(name, { columns, ...part }), noCaches, signal)) yield batch;
      }
    },
    close: opened.release,
  };
}

/** How many defaults a column has is known of all rows together. */
function describeColumns({ columns, rows }: DatasetManifest, areAllRows: boolean): SavedTable['columns'] {
  return columns.map(({ name, role, feature, statistics: { defaults } }) => {
    const defaultShare = areAllRows && defaults !== undefined ? defaults / Math.max(1, rows) : undefined;
    return { name, role, feature, defaultShare };
  });
}
