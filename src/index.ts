/** What a definitions file and an embedding program import. */
export { type ConfigInput, defineConfig, duckdb, lmdb, redis } from './config.ts';
export * from './definitions/index.ts';
export { type ErrorCode, FeatureStoreError } from './errors.ts';
