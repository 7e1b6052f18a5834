/** What a thing is made of and what is made of it, as a graph of links. */
import { Graph, layout } from '@dagrejs/dagre';
import { useLayoutEffect, useRef, useSyncExternalStore } from 'react';
import type { Catalogue } from '../api/catalogue.ts';
import { type LineageNode, linksAround } from './links.ts';
import { Scroll } from './scroll.tsx';

const narrow = matchMedia('(max-width: 640px)');
const nodeHeight = 46;

/** `id` is that of the node in the middle, such as `views/user_profile`; datasets are those of the catalogue. */
export function Lineage({ catalogue, id }: { readonly catalogue: Catalogue; readonly id: string }) {
  const isNarrow = useSyncExternalStore(watchWidth, () => narrow.matches);
  const { nodes, links } = linksAround(catalogue, id);
  const { placed, paths, width, height } = place(nodes, links, isNarrow ? 'TB' : 'LR');
  const drawing = useRef<SVGSVGElement>(null);
  const here = placed.find(({ node }) => node.id === id);
  const middle = here === undefined ? 0 : here.x + here.width / 2;
  useLayoutEffect(() => {
    // Where all of it has no room, it begins at what the screen is about.
    const frame = drawing.current?.parentElement;
    if (frame != null) frame.scrollLeft = middle - frame.clientWidth / 2;
  }, [middle]);
  return (
    <>
      <Scroll label="Lineage" className="lineage">
        <svg ref={drawing} width={width} height={height} viewBox={`0 0 ${width} ${height}`}>
          <title>What feeds it and what it feeds</title>
          <defs>
            <marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
              <path d="M0 0 8 4 0 8z" className="arrow" />
            </marker>
          </defs>
          {paths.map((path) => (
            <path key={path} d={path} className="link" markerEnd="url(#arrow)" />
          ))}
          {placed.map(({ node, x, y, width: own }) => (
            <a key={node.id} href={node.href} aria-current={node.id === id ? 'true' : undefined}>
              <rect x={x} y={y} width={own} height={nodeHeight} rx="8" className={node.id === id ? 'node here' : 'node'} />
              <text x={x + 12} y={y + 18} className="kind">
                {node.kind}
              </text>
              <text x={x + 12} y={y + 36} className="name">
                {shorten(node.name)}
                <title>{node.name}</title>
              </text>
            </a>
          ))}
        </svg>
      </Scroll>
      <ul className="for-readers" aria-label="Lineage in words">
        {links.map(({ from, to }) => (
          <li key={`${from} ${to}`}>{`${from} feeds ${to}`}</li>
        ))}
      </ul>
    </>
  );
}

interface Placed {
  readonly node: LineageNode;
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

function place(nodes: readonly LineageNode[], links: readonly { readonly from: string; readonly to: string }[], rankdir: string) {
  const graph = new Graph();
  graph.setGraph({ rankdir, nodesep: 14, ranksep: rankdir === 'LR' ? 52 : 36, marginx: 4, marginy: 4 });
  graph.setDefaultEdgeLabel(() => ({}));
  const sizes = new Map(nodes.map((node) => [node.id, Math.max(122, 26 + 8 * shorten(node.name).length)]));
  for (const { id } of nodes) graph.setNode(id, { width: sizes.get(id), height: nodeHeight });
  for (const { from, to } of links) graph.setEdge(from, to);
  layout(graph);
  const placed = nodes.map((node): Placed => {
    const { x, y } = graph.node(node.id) as { x: number; y: number };
    const width = sizes.get(node.id) as number;
    return { node, width, x: x - width / 2, y: y - nodeHeight / 2 };
  });
  const paths = links.map(({ from, to }) => {
    const { points } = graph.edge(from, to) as { points: readonly { x: number; y: number }[] };
    return `M${points.map(({ x, y }) => `${x.toFixed(1)} ${y.toFixed(1)}`).join('L')}`;
  });
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number };
  return { placed, paths, width: Math.ceil(width), height: Math.ceil(height) };
}

function shorten(name: string): string {
  return name.length > 26 ? `${name.slice(0, 25)}…` : name;
}

function watchWidth(changed: () => void): () => void {
  narrow.addEventListener('change', changed);
  return () => narrow.removeEventListener('change', changed);
}
