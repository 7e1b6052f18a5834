/** Datasets as they are shown: whole, and as a row among others. */
import type { DatasetManifest } from './manifest.ts';
import { formatReference } from './name.ts';
import type { SurveyedDataset } from './survey.ts';
import type { ModelTag } from './tags.ts';

export type ShownDataset = DatasetManifest & { readonly tags: readonly ModelTag[] };

/** One version, as the catalogue lists it. */
export interface DatasetRow extends Readonly<Record<string, unknown>> {
  /** `NAME@VERSION`. */
  readonly name: string;
}

/** The row of a version as it was found: of one whose manifest cannot be read nothing is known but that, and why. */
export function surveyedRow({ name, version, manifest, tags, problem }: SurveyedDataset): DatasetRow {
  if (manifest !== undefined) return { ...datasetRow({ ...manifest, tags }), damaged: problem ?? null };
  return {
    ...{ name: formatReference({ name, version }), id: null, rows: null, splits: {}, features: [], labels: [], service: null },
    views: {},
    ...{ created_at: null, created_by: null, description: null, warnings: [], models: [], damaged: problem ?? null },
  };
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
    damaged: null,
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
