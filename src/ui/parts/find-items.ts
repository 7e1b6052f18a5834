/** The catalogue as a list of things to find by words. */
import type { Catalogue, Deprecation, Tags } from '../api/catalogue.ts';
import { type DatasetRow, splitDataset } from '../api/datasets.ts';
import { counted } from './format.ts';
import { href } from './route.ts';

export const itemKinds = ['view', 'feature', 'service', 'source', 'entity', 'dataset'] as const;

export interface Item {
  readonly kind: (typeof itemKinds)[number];
  readonly name: string;
  readonly href: string;
  readonly description: string | null;
  /** Of a dataset who made it. */
  readonly owner: string | null;
  readonly tags: Tags;
  /** A line on what it is. */
  readonly told: string;
  readonly deprecated: Deprecation | null;
  /** Of what has events: the newest. */
  readonly newest?: string | null;
}

/** Those that have every word somewhere; those with all of them in their name come first. */
export function findItems(catalogue: Catalogue, words: string): readonly Item[] {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  const items = listItems(catalogue);
  const textOf = ({ kind, name, description, owner, tags, told, deprecated }: Item) =>
    [kind, deprecated === null ? '' : 'deprecated', name, description, owner, told, ...Object.entries(tags).flat()]
      .join(' ')
      .toLowerCase();
  const has = (text: string) => wanted.every((word) => text.includes(word));
  const found = items.filter((item) => has(textOf(item)));
  const isNamed = ({ name }: Item) => has(name.toLowerCase());
  return [...found.filter(isNamed), ...found.filter((item) => !isNamed(item))];
}

function listItems({ entities, sources, views, services, features, datasets }: Catalogue): readonly Item[] {
  return [
    ...views.map((row): Item => {
      const told = `${row.kind.replace('_', '-')} · ${row.entities.join(', ')} · ${counted(row.features.length, 'feature')}`;
      return item('view', 'views', row, told, row.kind === 'on_demand' ? undefined : row.newest_event);
    }),
    ...features.map(
      ({ name, view, feature, type, description, owner, deprecated = null }): Item => ({
        ...{ kind: 'feature', name, description, owner, tags: {}, told: type, deprecated },
        href: `${href('views', view)}?feature=${encodeURIComponent(feature)}`,
      }),
    ),
    ...services.map((row) => item('service', 'services', row, counted(row.features.length, 'feature'))),
    ...sources.map((row) => item('source', 'sources', row, [row.kind, row.format, row.stream].filter(Boolean).join(' · '))),
    ...entities.map((row) => item('entity', 'entities', row, Object.keys(row.join_keys).join(', '))),
    ...datasets.map(datasetItem),
  ];
}

/** By the newest version, whose models are what a tag is elsewhere. */
function datasetItem({ name, description, created_by: owner, rows, models, created_at: newest }: DatasetRow): Item {
  const tags = Object.fromEntries(models.map((model) => [`model ${model}`, '']));
  const told = `newest version ${splitDataset(name).version} · ${rows === null ? 'damaged' : counted(rows, 'row')}`;
  const dataset = splitDataset(name).name;
  return {
    kind: 'dataset',
    name: dataset,
    description,
    owner,
    tags,
    told,
    deprecated: null,
    newest,
    href: href('datasets', dataset),
  };
}

type Row = Pick<Item, 'name' | 'description' | 'owner' | 'tags'> & Partial<Pick<Item, 'deprecated'>>;

function item(kind: Item['kind'], part: string, row: Row, told: string, newest?: string | null): Item {
  const { name, description, owner, tags, deprecated = null } = row;
  return { kind, name, description, owner, tags, told, deprecated, newest, href: href(part, name) };
}
