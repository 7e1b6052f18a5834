/** What is asked of the online path and what it answers: columns of plain values, with a status, an event time and more for each value. */
import type { LiteralValue } from '../../definitions/literal.ts';
import type { ValueType } from '../../definitions/value-type.ts';
import type { RegistryDocument } from '../../registry/document.ts';
import type { OnlinePlan, RetrievalColumns } from './plan.ts';

export type RequestColumns = Readonly<Record<string, readonly unknown[]>>;

export interface OnlineRequest {
  /** References `view:feature` or `view@prefix:feature`, in the order wanted; or a service. */
  readonly features?: readonly string[] | null;
  readonly service?: string | null;
  /** Join keys by column, one value a row; a column of one value beside longer ones holds for every row. Request values may stand here. */
  readonly entities: RequestColumns;
  /** Values that on-demand views ask of the request, by name. */
  readonly request?: RequestColumns;
  /** By view or prefix: join key -> column, where they differ. */
  readonly keys?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Names columns `view__feature`. */
  readonly fullFeatureNames?: boolean;
  /**
   * The values came as JSON: decimal strings are taken for integers, base64 for bytes, ISO 8601 for instants, `NaN` and infinities by
   * name for floats. Otherwise they are `LiteralValue`s.
   */
  readonly isJson?: boolean;
}

export interface OnlineAnswer {
  /** T: the clock's microseconds when the request came. */
  readonly evaluatedAtUs: bigint;
  readonly rows: number;
  /** The columns that hold join keys, one value a row. */
  readonly entities: readonly { readonly name: string; readonly type: ValueType; readonly values: readonly LiteralValue[] }[];
  /** In the order asked for. */
  readonly columns: readonly OnlineColumn[];
  /** The views that were looked up, those that only transforms read included. */
  readonly views: readonly OnlineViewAnswer[];
  /** Distinct keys read from the store, and how many of them it has. */
  readonly keys: number;
  readonly hits: number;
  /** What it is the answer to, for those who keep a record of it. */
  readonly origin: AnswerOrigin;
}

export interface AnswerOrigin {
  readonly registry: RegistryDocument;
  readonly request: Omit<OnlineRequest, 'entities' | 'request'>;
  /** The very same for equal requests, as long as the registry is the applied one. */
  readonly plan: OnlinePlan;
  /** The request's values by column. */
  readonly given: RetrievalColumns;
}

export interface OnlineColumn {
  readonly name: string;
  readonly type: ValueType;
  readonly values: readonly LiteralValue[];
  /** Places in `statusNames` (definitions/status.ts). */
  readonly statuses: Uint8Array;
  /** 1 where a default stands in the value's place. */
  readonly isDefault: Uint8Array;
  /** The event time of the row found, in microseconds; null for NOT_FOUND and what a transform computes. */
  readonly eventUs: readonly (bigint | null)[];
  /** Rows whose aggregate is null for being outside its type (rule 6.10); their status is NULL_VALUE. */
  readonly outOfRange: number;
  readonly view: string;
  readonly feature: string;
}

export interface OnlineViewAnswer {
  readonly view: string;
  /** The view's name, or the prefix it is joined under. */
  readonly label: string;
  /** Rows of the answer for which a row of the view is visible. */
  readonly found: number;
  /** Whether it was ever materialized, as far as is known here: where it never was, NOT_FOUND says nothing about its entities. */
  readonly isMaterialized: boolean;
}

export interface OnlineFeatures {
  get(request: OnlineRequest, options?: { readonly signal?: AbortSignal }): Promise<OnlineAnswer>;
}
