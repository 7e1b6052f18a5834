/** The definitions language: what a repository's files import. */
export {
  type Aggregation,
  count,
  countDistinct,
  duration,
  entropy,
  first,
  last,
  lastN,
  max,
  mean,
  min,
  type RateOptions,
  rate,
  stddev,
  sum,
  topK,
  type WindowOptions,
} from './aggregation.ts';
export { type BatchSource, type BatchSourceOptions, batchSource } from './batch-source.ts';
export type { DeprecatedOptions } from './deprecated.ts';
export type { DescribedOptions } from './described.ts';
export type { DurationText } from './duration.ts';
export { type Entity, type EntityOptions, entity } from './entity.ts';
export { type EnvironmentValue, env } from './env.ts';
export { type EventColumnOptions, type EventSource, type EventSourceOptions, eventSource } from './event-source.ts';
export type { ExpectOptions } from './expectation.ts';
export type { FeatureOptions } from './feature.ts';
export { type FeatureService, type FeatureServiceOptions, featureService } from './feature-service.ts';
export { type FeatureView, type FeatureViewOptions, featureView } from './feature-view.ts';
export { type Fitted, type FittedKind, fitted } from './fitted.ts';
export {
  type LocalTime,
  type OnDemandFeatureView,
  type OnDemandFeatureViewOptions,
  type OnDemandSelection,
  onDemandFeatureView,
  type RowTime,
  type TransformRow,
} from './on-demand-feature-view.ts';
export { type SqlSource, type SqlSourceOptions, sqlSource } from './sql-source.ts';
export {
  type Kafka,
  type KafkaOptions,
  kafka,
  type RedisStream,
  type RedisStreamOptions,
  redisStream,
  type SaslOptions,
  type Stream,
  type StreamFormat,
  type StreamTlsOptions,
} from './stream.ts';
export { type StreamFeatureView, type StreamFeatureViewOptions, streamFeatureView } from './stream-feature-view.ts';
export { type CsvOptions, csv, type JsonOptions, json, type ParquetOptions, parquet, type Table } from './table.ts';
export type { KeyType, ValueTypeText } from './value-type.ts';
export type { ViewSelection } from './view-selection.ts';
