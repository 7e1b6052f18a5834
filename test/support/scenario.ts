/** A whole retrieval as data - sources, views, frame, request - which the oracle and the engine answer each in its own way. */
import type { Field } from '../../src/arrow/schema.ts';
import type { KeyType } from '../../src/definitions/value-type.ts';
import type { NaiveFeature, NaiveRow, NaiveType } from './naive-join.ts';
import type { AmbiguousTime } from './naive-zone.ts';

export interface ScenarioColumn {
  readonly name: string;
  /** What DuckDB calls the type in which the column is written. */
  readonly duckType: string;
  readonly type: NaiveType;
}

export interface ScenarioSource {
  readonly name: string;
  readonly columns: readonly ScenarioColumn[];
  readonly event: string;
  readonly created?: string;
  readonly available?: string;
  readonly timezone?: string;
  readonly ambiguousTime?: AmbiguousTime;
  readonly rows: readonly NaiveRow[];
  readonly format: 'parquet' | 'csv' | 'json';
  /** Rows are dealt out to so many files. */
  readonly files: number;
  /** The last column, kept in the path instead of the files. */
  readonly hive?: string;
}

export interface ScenarioView {
  readonly name: string;
  readonly source: ScenarioSource;
  readonly keys: readonly { readonly name: string; readonly type: KeyType; readonly column: string }[];
  readonly delay?: string;
  readonly ttl?: string;
  readonly asKnown?: boolean;
  readonly features: readonly NaiveFeature[];
}

export interface FrameColumn {
  readonly field: Field;
  /** Plain values, also where a dictionary encodes them. */
  readonly values: readonly unknown[];
  /** The dictionary's values; may hold null. */
  readonly dictionary?: readonly unknown[];
}

export interface WantedFeature {
  readonly view: string;
  readonly prefix?: string;
  readonly feature: string;
}

export interface Scenario {
  readonly views: readonly ScenarioView[];
  readonly frame: { readonly rows: number; readonly columns: readonly FrameColumn[]; readonly batchRows: number };
  readonly features: readonly WantedFeature[];
  /** Label -> join key -> frame column. */
  readonly keys?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly asKnown?: boolean | null;
  /** The frame's column of T; `at` replaces it. */
  readonly timestamp?: string;
  readonly timezone?: string;
  readonly atUs?: bigint;
  readonly statuses?: boolean;
  readonly fullFeatureNames?: boolean;
}

export interface AnswerColumn {
  readonly name: string;
  readonly values: readonly unknown[];
}

/** Feature columns in order (with statuses also theirs), and by feature column the rows decided by value alone. */
export interface Answer {
  readonly columns: readonly AnswerColumn[];
  readonly ties: Readonly<Record<string, number>>;
}

/** The name of a feature's column in the answer (rule 4.2). */
export function outputName(scenario: Scenario, wanted: WantedFeature): string {
  if (wanted.prefix !== undefined) return `${wanted.prefix}__${wanted.feature}`;
  return scenario.fullFeatureNames === true ? `${wanted.view}__${wanted.feature}` : wanted.feature;
}
