/** What is applied as a graph, from what is first to what is last: tables and streams, sources, views, services. */
import type { RegistryDocument, ServiceFeatures, SourceDocument } from '../registry/document.ts';
import { onDemandViewsOf } from '../registry/references.ts';
import { tablesOf } from '../registry/source-tables.ts';

/** From what is first to what is last. */
export const lineageKinds = [
  ...(['table', 'stream', 'source', 'feature_view', 'on_demand_view', 'feature_service'] as const),
  ...(['dataset', 'model'] as const),
] as const;
export type LineageKind = (typeof lineageKinds)[number];

export interface LineageNode {
  /** `kind/name`. */
  readonly id: string;
  readonly kind: LineageKind;
  readonly name: string;
}

/** `to` is made of `from`: of these features, where `from` has features. */
export interface LineageEdge {
  readonly from: string;
  readonly to: string;
  readonly features?: readonly string[];
}

export interface LineageGraph {
  readonly nodes: readonly LineageNode[];
  readonly edges: readonly LineageEdge[];
}

export function lineageNode(kind: LineageKind, name: string): LineageNode {
  return { id: `${kind}/${name}`, kind, name };
}

/** Each kind in the order of the document. */
export function graphOfRegistry(registry: RegistryDocument): LineageGraph {
  const nodes = new Map<string, LineageNode>();
  const edges: LineageEdge[] = [];
  const add = (kind: LineageKind, name: string): string => {
    const node = lineageNode(kind, name);
    if (!nodes.has(node.id)) nodes.set(node.id, node);
    return node.id;
  };
  const computed = onDemandViewsOf(registry);
  const viewId = (name: string) =>
    lineageNode(computed.some((view) => view.name === name) ? 'on_demand_view' : 'feature_view', name).id;
  const addParts = (parts: readonly ServiceFeatures[], to: string) => {
    for (const from of new Set(parts.map((part) => viewId(part.view)))) {
      const features = parts.filter((part) => viewId(part.view) === from).flatMap((part) => part.features);
      edges.push({ from, to, features: [...new Set(features)] });
    }
  };
  for (const source of registry.sources) {
    const to = lineageNode('source', source.name).id;
    for (const path of tablePathsOf(source)) edges.push({ from: add('table', path), to });
    for (const stream of streamsOf(source)) edges.push({ from: add('stream', stream), to });
  }
  for (const source of registry.sources) add('source', source.name);
  for (const { name, query } of registry.sources)
    for (const input of query?.inputs ?? []) edges.push({ from: `source/${input.source}`, to: `source/${name}` });
  for (const view of registry.views) edges.push({ from: `source/${view.source}`, to: add('feature_view', view.name) });
  for (const view of computed) addParts(view.inputs, add('on_demand_view', view.name));
  for (const service of registry.services) addParts(service.features, add('feature_service', service.name));
  return { nodes: [...nodes.values()], edges };
}

/** Both as one. An end of an edge that neither knows, such as a view that has been removed since, is a node of its own. */
export function joinGraphs(a: LineageGraph, b: LineageGraph): LineageGraph {
  const edges = [...a.edges, ...b.edges];
  const ends = edges.flatMap(({ from, to }) => [from, to]).map(nodeOfId);
  const nodes = new Map([...a.nodes, ...b.nodes, ...ends].map((node) => [node.id, node]));
  return { nodes: [...nodes.values()], edges };
}

function nodeOfId(id: string): LineageNode {
  const slash = id.indexOf('/');
  return { id, kind: id.slice(0, slash) as LineageKind, name: id.slice(slash + 1) };
}

function tablePathsOf(source: SourceDocument): readonly string[] {
  return source.kind === 'sql' ? [] : tablesOf(source).flatMap((table) => table.paths);
}

function streamsOf({ stream }: SourceDocument): readonly string[] {
  if (stream === undefined) return [];
  return stream.kind === 'kafka' ? [`kafka ${stream.topic}`] : stream.keys.map((key) => `redis ${key}`);
}
