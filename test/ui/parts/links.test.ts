/** Datasets and models in the lineage of the page. */
import { expect, test } from 'vitest';
import type { DatasetRow } from '../../../src/ui/api/datasets.ts';
import { datasetsOf, type LinkedCatalogue, linksAround } from '../../../src/ui/parts/links.ts';

const dataset = (name: string, made: Partial<DatasetRow>) =>
  ({ name, service: null, views: {}, models: [], ...made }) as unknown as DatasetRow;

function catalogue(...datasets: readonly DatasetRow[]): LinkedCatalogue {
  return {
    sources: [{ name: 'clicks', kind: 'batch' }],
    views: [
      { name: 'activity', kind: 'batch', source: 'clicks' },
      { name: 'doubled', kind: 'on_demand', source: null, inputs: ['activity:age'] },
      { name: 'other', kind: 'batch', source: 'clicks' },
    ],
    services: [{ name: 'ranker', features: ['doubled:twice'] }],
    datasets,
  } as unknown as LinkedCatalogue;
}

test('a dataset is made of its service, or of views, and feeds its models', () => {
  const known = catalogue(dataset('a@2', { service: 'ranker', models: ['ctr@7'] }), dataset('b@1', { views: { other: ['x'] } }));
  const { nodes, links } = linksAround(known, 'datasets/a@2');
  expect(nodes.map(({ id }) => id)).toEqual([
    'sources/clicks',
    'views/activity',
    'views/doubled',
    'services/ranker',
    'datasets/a@2',
    'models/ctr@7',
  ]);
  expect(links).toEqual(
    expect.arrayContaining([
      { from: 'services/ranker', to: 'datasets/a@2' },
      { from: 'datasets/a@2', to: 'models/ctr@7' },
    ]),
  );
  expect(nodes.find(({ kind }) => kind === 'dataset')?.href).toBe('#/datasets/a@2');
  expect(datasetsOf(known, 'views/activity').map(({ name }) => name)).toEqual(['a@2']);
  expect(datasetsOf(known, 'views/other').map(({ name }) => name)).toEqual(['b@1']);
  expect(datasetsOf(known, 'sources/clicks').map(({ name }) => name)).toEqual(['a@2', 'b@1']);
});

test('one whose service is gone is made of the views that it read, and of none that is gone', () => {
  const known = catalogue(dataset('a@2', { service: 'removed', views: { activity: ['age'], forgotten: ['x'] } }));
  const { links } = linksAround(known, 'datasets/a@2');
  expect(links.filter(({ to }) => to === 'datasets/a@2')).toEqual([{ from: 'views/activity', to: 'datasets/a@2' }]);
});

test('of many the first are drawn, and how many more there are', () => {
  const many = Array.from({ length: 9 }, (_, at) => dataset(`d${at}@1`, { views: { activity: ['age'] } }));
  const { nodes, links } = linksAround(catalogue(...many), 'views/activity');
  expect(nodes.filter(({ kind }) => kind === 'dataset')).toHaveLength(6);
  expect(nodes.at(-1)).toMatchObject({ id: 'datasets', name: '3 more', href: '#/datasets' });
  expect(links.at(-1)).toEqual({ from: 'views/activity', to: 'datasets' });
});
