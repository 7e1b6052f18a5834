/** Who feeds whom in the catalogue: sources feed sources and views, views feed on-demand views and services. */
import { type Catalogue, splitReference } from '../api/catalogue.ts';

export interface LineageNode {
  readonly id: string;
  readonly kind: string;
  readonly name: string;
  /** Its screen. */
  readonly href: string;
}

export interface LineageLink {
  readonly from: string;
  readonly to: string;
}

/** All that leads to a node and all that it leads to. */
export function linksAround(catalogue: Catalogue, id: string) {
  const all = listLinks(catalogue);
  const kept = new Set([...reach(id, all, 'to', 'from'), ...reach(id, all, 'from', 'to')]);
  const links = all.filter(({ from, to }) => kept.has(from) && kept.has(to));
  return { nodes: listNodes(catalogue).filter((node) => kept.has(node.id)), links };
}

export function listLinks({ sources, views, services }: Catalogue): readonly LineageLink[] {
  const viewsOf = (references: readonly string[]) => new Set(references.map((reference) => splitReference(reference).view));
  return [
    ...sources.flatMap(({ name, inputs = [] }) => inputs.map((input) => ({ from: `sources/${input}`, to: `sources/${name}` }))),
    ...views.flatMap(({ name, source }) => (source === null ? [] : [{ from: `sources/${source}`, to: `views/${name}` }])),
    ...views.flatMap(({ name, inputs = [] }) =>
      [...viewsOf(inputs)].map((view) => ({ from: `views/${view}`, to: `views/${name}` })),
    ),
    ...services.flatMap(({ name, features }) =>
      [...viewsOf(features)].map((view) => ({ from: `views/${view}`, to: `services/${name}` })),
    ),
  ];
}

function listNodes({ sources, views, services }: Catalogue): readonly LineageNode[] {
  const node = (part: string, kind: string, name: string) => ({
    id: `${part}/${name}`,
    kind,
    name,
    href: `${part}/${encodeURIComponent(name)}`,
  });
  return [
    ...sources.map(({ name, kind }) => node('sources', `${kind} source`, name)),
    ...views.map(({ name, kind }) => node('views', `${kind.replace('_', '-')} view`, name)),
    ...services.map(({ name }) => node('services', 'service', name)),
  ];
}

function reach(id: string, links: readonly LineageLink[], near: 'from' | 'to', far: 'from' | 'to'): ReadonlySet<string> {
  const found = new Set([id]);
  for (const one of found) for (const link of links) if (link[near] === one) found.add(link[far]);
  return found;
}
