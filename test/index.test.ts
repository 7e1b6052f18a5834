import { expect, it } from 'vitest';
import * as featherflight from '../src/index.ts';

it('the public surface is these names; a new one is a decision', () => {
  expect(Object.keys(featherflight).sort()).toEqual([
    'FeatureStoreError',
    'batchSource',
    'csv',
    'defineConfig',
    'duckdb',
    'entity',
    'featureService',
    'featureView',
    'fitted',
    'json',
    'lmdb',
    'onDemandFeatureView',
    'parquet',
    'redis',
  ]);
});
