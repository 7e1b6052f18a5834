/** What `featherflight/client` exports. */
export { formatInstantUs, type LiteralValue, parseInstantUs } from '../definitions/literal.ts';
export { type ErrorCode, FeatureStoreError } from '../errors.ts';
export type { Lineage } from './answers.ts';
export {
  type CatalogueKind,
  type ClientCallOptions,
  FeatherflightClient,
  type FeatherflightClientOptions,
  type OnlineRequestOptions,
  type PushOptions,
} from './featherflight-client.ts';
export type { DatasetQuery, DatasetRows, FlightClient } from './flight-client.ts';
export type { EntityFrame, HistoricalQuery, TrainingSet } from './historical-query.ts';
export type {
  CheckReport,
  DriftQuery,
  LeakQuery,
  ParityFeature,
  ParityProgress,
  ParityQuery,
  ParityReport,
  SavedRows,
} from './http/checks.ts';
export type { AnyDefinitions } from './http/definitions-type.ts';
export type { RequestColumns, RequestValue } from './http/encode-columns.ts';
export type {
  FilledView,
  FillProgress,
  Instant,
  LongCallOptions,
  MaterializeOptions,
  MaterializeProgress,
  ReplayOptions,
  ReplayReport,
  ResetReport,
  ResetStreamOptions,
  RunSqlOptions,
  RunSqlProgress,
  RunSqlReport,
  SetAsideOptions,
  SetAsideReport,
  StreamState,
} from './http/long-calls.ts';
export type { Int64Mode, OnlineAnswer, OnlineColumn, Status } from './http/online-answer.ts';
export type { ReaderWarning } from './warnings.ts';
