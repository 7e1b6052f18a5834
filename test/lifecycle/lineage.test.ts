/** The graph from tables to models, up and down. */
import { expect, it } from 'vitest';
import { batchSource, entity, featureService, featureView, parquet } from '../../src/index.ts';
import { lineageOf } from '../../src/lifecycle/lineage.ts';
import { type LineageGraph, lineageNode } from '../../src/lifecycle/lineage-graph.ts';
import type { RegistryDocument } from '../../src/registry/document.ts';
import { bindDefinitions } from '../registry/bind-definitions.ts';

const columns = { user_id: 'BIGINT', at: 'TIMESTAMP WITH TIME ZONE', age: 'INTEGER', city: 'VARCHAR' };

async function registryOf(): Promise<RegistryDocument> {
  const user = entity('user', { joinKeys: { user_id: 'int64' } });
  const people = batchSource('people', { table: parquet('p.parquet'), eventTimestamp: 'at' });
  const features = { age: { type: 'int32' }, city: { type: 'string' } } as const;
  const profile = featureView('profile', { entities: [user], source: people, features });
  const ranker = featureService('ranker', { features: [profile.select('age')] });
  const document = await bindDefinitions([user, people, profile, ranker], { 'p.parquet': columns });
  return { ...document, version: 1, appliedAt: '' };
}

/** A data set of a service, one of a feature, and one of a view that was removed; a model of the first. */
const made: LineageGraph = {
  nodes: [
    lineageNode('dataset', 'clicks_may'),
    lineageNode('dataset', 'cities'),
    lineageNode('dataset', 'ancient'),
    lineageNode('model', 'ranker:v3'),
  ],
  edges: [
    { from: 'feature_service/ranker', to: 'dataset/clicks_may' },
    { from: 'feature_view/profile', to: 'dataset/cities', features: ['city'] },
    { from: 'feature_view/gone', to: 'dataset/ancient', features: ['x'] },
    { from: 'dataset/clicks_may', to: 'model/ranker:v3' },
  ],
};
const ids = (nodes: readonly { readonly id: string }[]) => nodes.map(({ id }) => id);

it('goes on from services to datasets and the models that were trained with them', async () => {
  const registry = await registryOf();
  expect(ids(lineageOf(registry, 'profile:age', made).downstream)).toEqual([
    'feature_service/ranker',
    'dataset/clicks_may',
    'model/ranker:v3',
  ]);
  expect(ids(lineageOf(registry, 'profile:city', made).downstream)).toEqual(['dataset/cities']);
  expect(ids(lineageOf(registry, 'p.parquet', made).downstream)).toEqual([
    'source/people',
    'feature_view/profile',
    'feature_service/ranker',
    'dataset/clicks_may',
    'dataset/cities',
    'model/ranker:v3',
  ]);
});

it('goes up from a model, whose name may have a colon, to the tables', async () => {
  const { of, upstream, downstream } = lineageOf(await registryOf(), 'ranker:v3', made);
  expect(of).toEqual(['model/ranker:v3']);
  expect(ids(upstream)).toEqual([
    'table/p.parquet',
    'source/people',
    'feature_view/profile',
    'feature_service/ranker',
    'dataset/clicks_may',
  ]);
  expect(downstream).toEqual([]);
});

it('keeps what a dataset was made of when it is applied no more', async () => {
  const registry = await registryOf();
  const { upstream, edges } = lineageOf(registry, 'ancient', made);
  expect(upstream).toEqual([{ id: 'feature_view/gone', kind: 'feature_view', name: 'gone' }]);
  expect(edges).toEqual([{ from: 'feature_view/gone', to: 'dataset/ancient', features: ['x'] }]);
  expect(() => lineageOf(registry, 'clicks_mai', made)).toThrow('did you mean "clicks_may"');
});
