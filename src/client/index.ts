/** What `featherflight/client` exports. */
export { formatInstantUs, type LiteralValue, parseInstantUs } from '../definitions/literal.ts';
export { type ErrorCode, FeatureStoreError } from '../errors.ts';
export {
  type CatalogueKind,
  type ClientCallOptions,
  FeatherflightClient,
  type FeatherflightClientOptions,
  type MaterializeOptions,
  type OnlineRequestOptions,
  type PushOptions,
} from './featherflight-client.ts';
export type { FlightClient } from './flight-client.ts';
export type { EntityFrame, HistoricalQuery, TrainingSet } from './historical-query.ts';
export type { AnyDefinitions } from './http/definitions-type.ts';
export type { RequestColumns, RequestValue } from './http/encode-columns.ts';
export type { Int64Mode, OnlineAnswer, OnlineColumn, Status } from './http/online-answer.ts';
