/** Who feeds whom: sources feed sources and views, views feed on-demand views, services and datasets, and these feed models. */
import { type Catalogue, splitReference } from '../api/catalogue.ts';
import type { DatasetRow } from '../api/datasets.ts';
import { href } from './route.ts';

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

export type LinkedCatalogue = Pick<Catalogue, 'sources' | 'views' | 'services' | 'datasets'>;

/** Datasets that a graph has room for. */
const mostDatasets = 6;

/** All that leads to a node and all that it leads to; of many datasets the first, and how many more there are. */
export function linksAround(catalogue: LinkedCatalogue, id: string) {
  const datasets = datasetsOf(catalogue, id);
  const shown = { ...catalogue, datasets: datasets.slice(0, mostDatasets) };
  const all = listLinks(shown);
  const kept = new Set([...reach(id, all, 'to', 'from'), ...reach(id, all, 'from', 'to')]);
  const nodes = listNodes(shown).filter((node) => kept.has(node.id));
  const links = all.filter(({ from, to }) => kept.has(from) && kept.has(to));
  const left = datasets.length - shown.datasets.length;
  if (left === 0) return { nodes, links };
  const more = { id: 'datasets', kind: 'datasets', name: `${left} more`, href: href('datasets') };
  return { nodes: [...nodes, more], links: [...links, { from: id, to: more.id }] };
}

/** Those that are made of a source, a view or a service, or the dataset itself. */
export function datasetsOf(catalogue: LinkedCatalogue, id: string): readonly DatasetRow[] {
  const below = reach(id, listLinks(catalogue), 'from', 'to');
  return catalogue.datasets.filter(({ name }) => below.has(`datasets/${name}`));
}

export function listLinks({ sources, views, services, datasets }: LinkedCatalogue): readonly LineageLink[] {
  const viewsOf = (references: readonly string[]) => new Set(references.map((reference) => splitReference(reference).view));
  const known = new Set(listNodes({ sources, views, services, datasets }).map(({ id }) => id));
  const links = [
    ...sources.flatMap(({ name, inputs = [] }) => inputs.map((input) => ({ from: `sources/${input}`, to: `sources/${name}` }))),
    ...views.flatMap(({ name, source }) => (source === null ? [] : [{ from: `sources/${source}`, to: `views/${name}` }])),
    ...views.flatMap(({ name, inputs = [] }) =>
      [...viewsOf(inputs)].map((view) => ({ from: `views/${view}`, to: `views/${name}` })),
    ),
    ...services.flatMap(({ name, features }) =>
      [...viewsOf(features)].map((view) => ({ from: `views/${view}`, to: `services/${name}` })),
    ),
    ...datasets.flatMap(({ name, service, views: own, models }) => [
      // The service may be gone since.
      ...(known.has(`services/${service}`) ? [`services/${service}`] : Object.keys(own).map((view) => `views/${view}`)).map(
        (from) => ({ from, to: `datasets/${name}` }),
      ),
      ...models.map((model) => ({ from: `datasets/${name}`, to: `models/${model}` })),
    ]),
  ];
  return links.filter(({ from, to }) => known.has(from) && known.has(to));
}

function listNodes({ sources, views, services, datasets }: LinkedCatalogue): readonly LineageNode[] {
  const node = (part: string, kind: string, name: string) => ({ id: `${part}/${name}`, kind, name, href: href(part, name) });
  const models = new Set(datasets.flatMap((dataset) => dataset.models));
  return [
    ...sources.map(({ name, kind }) => node('sources', `${kind} source`, name)),
    ...views.map(({ name, kind }) => node('views', `${kind.replace('_', '-')} view`, name)),
    ...services.map(({ name }) => node('services', 'service', name)),
    ...datasets.map(({ name }) => node('datasets', 'dataset', name)),
    ...[...models].map((name) => ({
      ...node('models', 'model', name),
      href: `${href('datasets')}?q=${encodeURIComponent(name)}`,
    })),
  ];
}

function reach(id: string, links: readonly LineageLink[], near: 'from' | 'to', far: 'from' | 'to'): ReadonlySet<string> {
  const found = new Set([id]);
  for (const one of found) for (const link of links) if (link[near] === one) found.add(link[far]);
  return found;
}
