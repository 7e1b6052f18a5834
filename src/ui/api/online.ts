/** Looks entities up online, and has their values computed again from history. */
import { postJson } from './call.ts';
import type { SideValue } from './reports.ts';

export interface OnlineRequest {
  readonly service?: string;
  readonly features?: readonly string[];
  readonly entities: Readonly<Record<string, readonly unknown[]>>;
  readonly request: Readonly<Record<string, readonly unknown[]>>;
}

export interface OnlineAnswer {
  readonly evaluated_at: string;
  readonly never_materialized: readonly string[];
  readonly columns: Readonly<Record<string, OnlineColumn>>;
}

export interface OnlineColumn {
  readonly view: string;
  readonly feature: string;
  readonly type: string;
  readonly values: readonly unknown[];
  readonly statuses: readonly string[];
  readonly event_timestamps: readonly (string | null)[];
  readonly is_default: readonly boolean[];
}

export interface Explanation {
  readonly evaluated_at: string;
  readonly columns: Readonly<Record<string, ExplainedColumn>>;
}

export interface ExplainedColumn {
  readonly view: string;
  readonly feature: string;
  readonly type: string;
  readonly online: SideValue;
  readonly offline: SideValue;
  readonly agrees: boolean;
  readonly cause: string | null;
  readonly text: string;
  /** What the training value is made of, by view. */
  readonly evidence: readonly {
    readonly view: string;
    readonly kind: string;
    readonly total: number;
    readonly rows: readonly unknown[];
  }[];
}

export function lookUp(request: OnlineRequest, signal?: AbortSignal): Promise<OnlineAnswer> {
  return postJson('api/v1/online-features', request, signal);
}

export function explain(request: OnlineRequest, signal?: AbortSignal): Promise<Explanation> {
  return postJson('api/v1/explain', request, signal);
}
