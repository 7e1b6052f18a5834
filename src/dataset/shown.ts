/** Datasets as they are shown: whole, and as a row among others. */
import type { DatasetManifest } from './manifest.ts';
import { formatReference } from './name.ts';
import type { ModelTag } from './tags.ts';

export type ShownDataset = DatasetManifest & { readonly tags: readonly ModelTag[] };

/** One version, as the catalogue lists it. */
export interface DatasetRow extends Readonly<Record<string, unknown>> {
  /** `NAME@VERSION`. */
  readonly name: string;
}

export function datasetRow(shown: ShownDataset): DatasetRow {
  const { id, rows, splits, columns, recipe, gates, tags } = shown;
  return {
    name: formatReference(shown),
    id,
    rows,
    splits: Object.fromEntries(splits.map((split) => [split.name, split.rows])),
    features: columns.filter(({ role }) => role === 'feature').map(({ name }) => name),
    views: featuresByView(recipe),
    labels: recipe.labels,
    service: recipe.service,
    created_at: shown.created_at,
    created_by: shown.created_by,
    description: shown.description,
    warnings: gates.filter(({ ok }) => !ok).map(({ column, expectation }) => `${column}: ${expectation}`),
    models: tags.map(nameModel),
  };
}

/** Which features of which views are in it. */
function featuresByView({ definitions }: DatasetManifest['recipe']): Readonly<Record<string, readonly string[]>> {
  const found = new Map<string, Set<string>>();
  for (const { view, feature } of definitions.features) found.set(view, (found.get(view) ?? new Set()).add(feature));
  return Object.fromEntries([...found].map(([view, features]) => [view, [...features]]));
}

/** A model that was trained on a dataset, as `MODEL` or `MODEL@VERSION`. */
export function nameModel({ model, version }: Pick<ModelTag, 'model' | 'version'>): string {
  return version === null ? model : `${model}@${version}`;
}
