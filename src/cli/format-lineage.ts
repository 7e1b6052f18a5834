/** Lineage as text: what a name is made of and who reads it, each below what it stands next to. */
import type { LineageKind } from '../lifecycle/lineage-graph.ts';
import { foldLine } from './fold-line.ts';

/** Lineage as it is here and as a server answers it, whose kinds may be new. */
export interface ShownLineage {
  readonly name: string;
  readonly of: readonly string[];
  readonly upstream: readonly ShownNode[];
  readonly downstream: readonly ShownNode[];
  readonly edges: readonly { readonly from: string; readonly to: string; readonly features?: readonly string[] }[];
}

interface ShownNode {
  readonly id: string;
  readonly kind: string;
  readonly name: string;
}

const titles: Readonly<Record<LineageKind, string>> = {
  table: 'table',
  stream: 'stream',
  source: 'source',
  feature_view: 'feature view',
  on_demand_view: 'on-demand view',
  feature_service: 'feature service',
  dataset: 'dataset',
  model: 'model',
};

function titleOf(kind: string): string {
  return titles[kind as LineageKind] ?? kind.replaceAll('_', ' ');
}

/** Where something is reached on several ways, what follows it stands there once. */
export function formatLineage(lineage: ShownLineage, width: number | undefined): string {
  const blocks = lineage.of.map((id) => {
    const name = id.slice(id.indexOf('/') + 1);
    const title = titleOf(id.slice(0, id.indexOf('/')));
    // Of `view:feature` the node is the view.
    const heading = lineage.name === name ? `${title} ${name}` : `feature ${lineage.name}`;
    const above = treeOf(id, lineage.edges, lineage.upstream, ['to', 'from']);
    const below = treeOf(id, lineage.edges, lineage.downstream, ['from', 'to']);
    return [
      heading,
      ...(above.length === 0 ? [] : ['  made of', ...above]),
      ...(below.length === 0 ? ['  read by nothing'] : ['  read by', ...below]),
    ].flatMap((line) => foldIndented(line, width));
  });
  return `${blocks.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

type Way = readonly [near: 'from' | 'to', far: 'from' | 'to'];

function treeOf(start: string, edges: ShownLineage['edges'], nodes: readonly ShownNode[], [near, far]: Way): string[] {
  const known = new Map(nodes.map((node) => [node.id, node]));
  const shown = new Set<string>();
  const visit = (id: string, indent: string): string[] =>
    edges
      .filter((edge) => edge[near] === id)
      .flatMap((edge) => {
        const node = known.get(edge[far]);
        if (node === undefined) return [];
        const features = edge.features === undefined ? '' : `: ${edge.features.join(', ')}`;
        const rest = shown.has(node.id) ? [] : visit(node.id, `${indent}  `);
        const isAbove = shown.has(node.id) && edges.some((other) => other[near] === node.id);
        shown.add(node.id);
        return [`${indent}${titleOf(node.kind)} ${node.name}${features}${isAbove ? ' (as above)' : ''}`, ...rest];
      });
  return visit(start, '    ');
}

/** What is broken off stands further in than what follows. */
function foldIndented(line: string, width: number | undefined): string[] {
  if (width === undefined) return [line];
  const indent = /^ */.exec(line)?.[0] ?? '';
  const [first = '', ...words] = line.slice(indent.length).split(' ');
  return foldLine([`${indent}${first}`, ...words], width, `${indent}    `);
}
