/** What apply stores and the server reads: definitions bound to real schemas, as JSON values only. */
import type { AggregateName } from '../aggregate/functions.ts';
import type { FittedKind } from '../definitions/fitted.ts';
import type { KeyType } from '../definitions/value-type.ts';
import type { Expression } from './expression/tree.ts';

export type { FittedKind };

export interface RegistryDocument {
  readonly format: 1;
  readonly project: string;
  /** Counts up by one with every apply that changes something. */
  readonly version: number;
  /** ISO instant of the apply, UTC. */
  readonly appliedAt: string;
  readonly entities: readonly EntityDocument[];
  readonly sources: readonly SourceDocument[];
  readonly views: readonly ViewDocument[];
  /** Absent in documents that were stored before there were any. */
  readonly onDemandViews?: readonly OnDemandViewDocument[];
  readonly services: readonly ServiceDocument[];
}

/** What people write for people: it never changes a value, hence no hash. */
export interface Described {
  readonly description?: string;
  readonly owner?: string;
  readonly tags: Readonly<Record<string, string>>;
  /** The file that defines it, relative to the repository. */
  readonly file: string;
}

export interface EntityDocument extends Described {
  readonly name: string;
  readonly joinKeys: readonly { readonly name: string; readonly type: KeyType }[];
}

export interface TableDocument {
  readonly format: 'parquet' | 'csv' | 'json';
  /** As written: files and globs, absolute or relative to the repository. */
  readonly paths: readonly string[];
  readonly hivePartitioning: boolean;
  /** Options of DuckDB's reader of that format, such as `delim` for csv. */
  readonly options: Readonly<Record<string, string | number | boolean>>;
  /** Column -> DuckDB's type text, for columns of csv and json whose type must not be guessed. */
  readonly columnTypes?: Readonly<Record<string, string>>;
}

export interface SourceDocument extends Described {
  readonly name: string;
  /** The rows of an event source are things that happened, and not values that hold from then on. */
  readonly kind: 'batch' | 'event';
  /** Of an event source its history. */
  readonly table: TableDocument;
  readonly eventTimestamp: string;
  readonly createdTimestamp?: string;
  readonly availableAt?: string;
  /** IANA zone of the source's zone-less timestamps. */
  readonly timezone?: string;
  readonly ambiguousTime?: 'earlier' | 'later';
  /** Rows are taken by push as well: what was pushed is part of the table. */
  readonly push?: true;
  /** Every column of the table in its order, with DuckDB's type text, as bound at apply. */
  readonly columns: readonly ColumnDocument[];
  /** Of an event source alone. */
  readonly events?: EventsDocument;
}

export interface EventsDocument {
  /** What keys and expressions read, by the types and vocabularies that it declares. */
  readonly columns: readonly { readonly name: string; readonly type: string; readonly values?: readonly string[] }[];
  /** Column whose equal values make one event of many. */
  readonly eventId?: string;
  /** As written, such as `2h`. */
  readonly lateness?: string;
}

export interface ColumnDocument {
  readonly name: string;
  /** As DuckDB's DESCRIBE prints it: `BIGINT`, `TIMESTAMP WITH TIME ZONE`, `DECIMAL(12,2)`, `FLOAT[3]`, … */
  readonly type: string;
}

export interface FeatureDocument {
  readonly name: string;
  readonly description?: string;
  /** A value type as formatValueType spells it. */
  readonly type: string;
  /** The source column that it is read from; of an aggregate its argument as written. */
  readonly column: string;
  /** Of stream views alone. */
  readonly aggregate?: AggregateDocument;
  readonly default?: DefaultDocument;
  /** sha256 over type, column, keys and the source's identity: what a stored value depends on (rule 8.3). */
  readonly hash: string;
}

export interface AggregateDocument {
  readonly function: AggregateName;
  readonly value?: ExpressionDocument;
  readonly condition?: ExpressionDocument;
  readonly over?: ExpressionDocument;
  readonly where?: ExpressionDocument;
  /** As written, such as `7d` or `lifetime`; absent in views of sessions. */
  readonly window?: string;
  /** As written, or what stands for it; absent where there is no left end. */
  readonly hop?: string;
  /** n or k. */
  readonly size?: number;
}

export interface ExpressionDocument {
  readonly text: string;
  readonly tree: Expression;
}

/** `literal` is a value as encodeLiteral leaves it: JSON only, lossless. */
export type DefaultDocument = { readonly literal: unknown } | { readonly fitted: FittedKind };

export interface ViewDocument extends Described {
  readonly name: string;
  readonly kind: 'batch' | 'stream';
  /** Names; none means one global row. */
  readonly entities: readonly string[];
  readonly source: string;
  /** The join keys of all entities in their order, each with the source column that holds it. */
  readonly keys: readonly { readonly name: string; readonly type: KeyType; readonly column: string }[];
  /** As written, such as `30d`; absent or zero is unlimited. */
  readonly ttl?: string;
  readonly delay?: string;
  readonly asKnown: boolean;
  /** Of stream views whose aggregates are over the current session. */
  readonly session?: { readonly gap: string };
  readonly features: readonly FeatureDocument[];
}

/** Features that a transform computes from other features and values of the request, row by row (section 7). */
export interface OnDemandViewDocument extends Described {
  readonly name: string;
  readonly kind: 'onDemand';
  /** The request's values that it reads, each a value type as formatValueType spells it. */
  readonly request: readonly { readonly name: string; readonly type: string }[];
  /** The features that it reads, of batch views, each under its view's name or prefix. */
  readonly inputs: readonly ServiceFeatures[];
  readonly features: readonly ComputedFeatureDocument[];
  /** What runs: one script with all that the transform imports, and the sha256 of its text. */
  readonly transform: { readonly bundle: string; readonly hash: string };
}

export interface ComputedFeatureDocument {
  readonly name: string;
  readonly description?: string;
  /** A value type as formatValueType spells it. */
  readonly type: string;
}

export interface ServiceDocument extends Described {
  readonly name: string;
  readonly features: readonly ServiceFeatures[];
  readonly deprecated?: Deprecation;
}

/** Features of one view in the order served, under a prefix and other frame columns where the service says so. */
export interface ServiceFeatures {
  readonly view: string;
  readonly prefix?: string;
  /** Join key -> frame column. */
  readonly keys?: Readonly<Record<string, string>>;
  readonly features: readonly string[];
}

export interface Deprecation {
  readonly since?: string;
  readonly reason?: string;
  readonly replacement?: string;
  readonly removeAfter?: string;
}
