/** What a name is made of and what is made of it, as nodes and edges. */
import type { RegistryDocument } from '../registry/document.ts';
import { onDemandViewsOf, unknownName } from '../registry/references.ts';
import { graphOfRegistry, joinGraphs, type LineageEdge, type LineageGraph, type LineageNode } from './lineage-graph.ts';

export interface Lineage {
  readonly name: string;
  /** Ids of what has the name. */
  readonly of: readonly string[];
  readonly upstream: readonly LineageNode[];
  readonly downstream: readonly LineageNode[];
  readonly edges: readonly LineageEdge[];
}

const nothing: LineageGraph = { nodes: [], edges: [] };

/**
 * Of an entity's name there is none; NOT_FOUND names the nearest. A name `view:feature` follows that feature alone. `made` is what was made
 * of definitions and is none itself: datasets, made of services or of features of views, and the models that were trained with them.
 */
export function lineageOf(registry: RegistryDocument, name: string, made: LineageGraph = nothing): Lineage {
  const { nodes, edges } = joinGraphs(graphOfRegistry(registry), made);
  const { of, feature } = findNodes(registry, nodes, name);
  if (of.length === 0) {
    const known = nodes.filter(({ kind }) => kind !== 'table' && kind !== 'stream').map((node) => node.name);
    throw unknownName('source, view, feature or service', name, known);
  }
  const ids = of.map(({ id }) => id);
  const concerns = (edge: LineageEdge) =>
    feature === undefined || !ids.includes(edge.from) || edge.features?.includes(feature) !== false;
  const up = follow(ids, (id) => edges.filter(({ to }) => to === id), 'from');
  const down = follow(ids, (id) => edges.filter((edge) => edge.from === id && concerns(edge)), 'to');
  const nodesOf = (found: ReadonlySet<LineageEdge>, end: 'from' | 'to') => {
    const wanted = new Set([...found].map((edge) => edge[end]));
    return nodes.filter(({ id }) => wanted.has(id));
  };
  const touched = edges.filter((edge) => up.has(edge) || down.has(edge));
  return { name, of: ids, upstream: nodesOf(up, 'from'), downstream: nodesOf(down, 'to'), edges: touched };
}

/** What has the whole name, else the view of a feature. */
function findNodes(registry: RegistryDocument, nodes: readonly LineageNode[], name: string) {
  const named = nodes.filter((node) => node.name === name);
  const [view = '', feature] = name.split(':');
  if (named.length > 0 || feature === undefined) return { of: named, feature: undefined };
  return { of: nodes.filter((node) => node.name === view && hasFeature(registry, node, feature)), feature };
}

function hasFeature(registry: RegistryDocument, { kind, name }: LineageNode, feature: string): boolean {
  const views = kind === 'feature_view' ? registry.views : kind === 'on_demand_view' ? onDemandViewsOf(registry) : [];
  return views.some((view) => view.name === name && view.features.some((one) => one.name === feature));
}

function follow(
  start: readonly string[],
  edgesOf: (id: string) => readonly LineageEdge[],
  end: 'from' | 'to',
): ReadonlySet<LineageEdge> {
  const found = new Set<LineageEdge>();
  const waiting = [...start];
  const seen = new Set(start);
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    for (const edge of edgesOf(id)) {
      found.add(edge);
      if (seen.has(edge[end])) continue;
      seen.add(edge[end]);
      waiting.push(edge[end]);
    }
  }
  return found;
}
