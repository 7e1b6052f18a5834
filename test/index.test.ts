import { expect, it } from 'vitest';
import * as featherflight from '../src/index.ts';

it('the public surface is these names; a new one is a decision', () => {
  expect(Object.keys(featherflight).sort()).toEqual([
    'FeatureStoreError',
    'batchSource',
    'count',
    'countDistinct',
    'csv',
    'defineConfig',
    'duckdb',
    'duration',
    'entity',
    'entropy',
    'eventSource',
    'featureService',
    'featureView',
    'first',
    'fitted',
    'json',
    'last',
    'lastN',
    'lmdb',
    'max',
    'mean',
    'min',
    'onDemandFeatureView',
    'parquet',
    'rate',
    'redis',
    'stddev',
    'streamFeatureView',
    'sum',
    'topK',
  ]);
});
