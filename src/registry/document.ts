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
  /**
   * The rows of an event source are things that happened, and not values that hold from then on; those of an SQL source are the results
   * of its statement, tick by tick, which are ours.
   */
  readonly kind: 'batch' | 'event' | 'sql';
  /** Of an event source the first table of its history; without paths where it has none, and of an SQL source. */
  readonly table: TableDocument;
  /** All tables of an event source's history, where they are not one: none, or several. See tablesOf. */
  readonly tables?: readonly HistoryTableDocument[];
  readonly eventTimestamp: string;
  readonly createdTimestamp?: string;
  readonly availableAt?: string;
  /** IANA zone of the source's zone-less timestamps. */
  readonly timezone?: string;
  readonly ambiguousTime?: 'earlier' | 'later';
  /** Rows are taken by push as well: what was pushed is part of the table. */
  readonly push?: true;
  /**
   * Every column of the table in its order, with DuckDB's type text, as bound at apply. Where a history is none or several tables: the
   * event timestamp and the columns that the source declares, by their declared types.
   */
  readonly columns: readonly ColumnDocument[];
  /** Of an SQL source alone. */
  readonly query?: QueryDocument;
  /** Of an event source alone. */
  readonly events?: EventsDocument;
  /** Where an event source reads events as they happen. It changes no value, hence no hash, and so do the next two. */
  readonly stream?: StreamDocument;
  /** Streamed and pushed events are not kept beside the history. */
  readonly archive?: false;
  /** Bytes of one key's state from which on it is kept apart; 1 MiB when absent. */
  readonly maxStateBytes?: number;
}

/** The statement of an SQL source, whose columns are those of the source but for the two timestamps. */
export interface QueryDocument {
  readonly sql: string;
  /** As written, such as `1d`. */
  readonly every: string;
  readonly offset: string;
  readonly asKnown: boolean;
  readonly usesTick: boolean;
  readonly inputs: readonly QueryInputDocument[];
  /** sha256 over all that the rows of a tick depend on but for the inputs' rows: results under another one are not this source's. */
  readonly hash: string;
}

export interface QueryInputDocument {
  readonly source: string;
  /** The columns that the statement may read, by their value types. */
  readonly columns: readonly { readonly name: string; readonly type: string }[];
}

/** One table of several, with its own columns in their order. */
export interface HistoryTableDocument extends TableDocument {
  readonly columns: readonly ColumnDocument[];
}

export type StreamDocument = KafkaDocument | RedisStreamDocument;

interface CommonStreamDocument {
  readonly format: StreamFormatDocument;
  readonly from: 'earliest' | 'latest';
  /** PEM files as written, absolute or relative to the repository; `{}` is TLS with the system's authorities. */
  readonly tls?: { readonly caFile?: string; readonly certFile?: string; readonly keyFile?: string };
}

export interface KafkaDocument extends CommonStreamDocument {
  readonly kind: 'kafka';
  /** Each `HOST:PORT`. */
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly sasl?: {
    readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
    readonly username: string | EnvironmentDocument;
    readonly password: EnvironmentDocument;
  };
  readonly groupId?: string | EnvironmentDocument;
}

export interface RedisStreamDocument extends CommonStreamDocument {
  readonly kind: 'redisStream';
  /** Never with a password: such a URL stands in the environment. */
  readonly url: string | EnvironmentDocument;
  readonly keys: readonly string[];
}

/** `schema` is the text of the file at the path `avro`, as it was at apply: JSON. */
export type StreamFormatDocument = 'json' | 'arrow' | AvroFormatDocument;

export interface AvroFormatDocument {
  readonly avro: string;
  readonly schema: string;
  /** What stands before each value; absent: nothing. */
  readonly framing?: 'confluent';
  readonly schemaId?: number;
}

/** A variable of the server's environment, whose value is never stored. */
export interface EnvironmentDocument {
  readonly env: string;
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
  readonly deprecated?: Deprecation;
  readonly expect?: ExpectationDocument;
  /** sha256 over type, column, keys and the source's identity: what a stored value depends on (rule 8.3). */
  readonly hash: string;
}

/** What is expected of the values in a saved dataset; limits as encodeLiteral leaves them. It changes no value, hence no hash. */
export interface ExpectationDocument {
  readonly min?: number | string;
  readonly max?: number | string;
  readonly maxNullRate?: number;
  readonly values?: readonly (number | string | boolean)[];
  readonly unique?: true;
  readonly onFailure?: 'fail' | 'warn';
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
  /** How old what is served may be, as written, such as `24h`. It changes no value, hence no hash. */
  readonly freshness?: string;
  readonly asKnown: boolean;
  /** Of stream views whose aggregates are over the current session. */
  readonly session?: { readonly gap: string };
  readonly features: readonly FeatureDocument[];
  readonly deprecated?: Deprecation;
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
  readonly deprecated?: Deprecation;
  /** What runs: one script with all that the transform imports, and the sha256 of its text. */
  readonly transform: { readonly bundle: string; readonly hash: string };
}

export interface ComputedFeatureDocument {
  readonly name: string;
  readonly description?: string;
  /** A value type as formatValueType spells it. */
  readonly type: string;
  readonly deprecated?: Deprecation;
  readonly expect?: ExpectationDocument;
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

/** Told to whoever reads it; it changes no value, hence no hash. */
export interface Deprecation {
  /** A day, as `removeAfter` is. */
  readonly since?: string;
  readonly reason?: string;
  readonly replacement?: string;
  readonly removeAfter?: string;
}
