/** Datasets among what is made of definitions, and the models that were trained with them. */
import type { DatasetManifest } from '../dataset/manifest.ts';
import { formatReference } from '../dataset/name.ts';
import { nameModel, type ShownDataset } from '../dataset/shown.ts';
import { type LineageEdge, type LineageGraph, lineageNode } from '../lifecycle/lineage-graph.ts';

export function graphOfDatasets(shown: readonly ShownDataset[]): LineageGraph {
  const edges = shown.flatMap((dataset) => {
    const { id } = lineageNode('dataset', formatReference(dataset));
    const models = dataset.tags.map((tag): LineageEdge => ({ from: id, to: lineageNode('model', nameModel(tag)).id }));
    return [...originsOf(dataset.recipe, id), ...models];
  });
  const nodes = shown.flatMap((dataset) => [
    lineageNode('dataset', formatReference(dataset)),
    ...dataset.tags.map((tag) => lineageNode('model', nameModel(tag))),
  ]);
  return { nodes, edges };
}

/** A service, or the views whose features were named. */
function originsOf({ service, definitions }: DatasetManifest['recipe'], to: string): LineageEdge[] {
  if (service !== null) return [{ from: lineageNode('feature_service', service).id, to }];
  const computed = definitions.transforms.map(({ view }) => view);
  const views = [...new Set(definitions.features.map(({ view }) => view))];
  return views.map((view) => ({
    from: lineageNode(computed.includes(view) ? 'on_demand_view' : 'feature_view', view).id,
    to,
    features: definitions.features.filter((one) => one.view === view).map(({ feature }) => feature),
  }));
}
