/** Tables on disk: files of one format, named by paths and globs relative to the repository or absolute. */
import { freezeCopy } from './described.ts';
import type { ValueTypeText } from './value-type.ts';

interface TableOptions {
  /** Reads `…/year=2026/…` as a column `year`; default false. */
  readonly hivePartitioning?: boolean;
  /** Matches columns of several files by name rather than position; default false. */
  readonly unionByName?: boolean;
}

export interface ParquetOptions extends TableOptions {
  /** Reads binary columns without a logical type as text; default false. */
  readonly binaryAsString?: boolean;
}

interface TextOptions extends TableOptions {
  /** Types of columns that must not be guessed from the text: `{ zip_code: 'string' }`. */
  readonly columnTypes?: Readonly<Record<string, ValueTypeText>>;
  readonly dateFormat?: string;
  readonly timestampFormat?: string;
  /** Found by the file's name when absent. */
  readonly compression?: 'none' | 'gzip' | 'zstd';
}

export interface CsvOptions extends TextOptions {
  /** Found by looking at the file when absent, like the other options of the dialect. */
  readonly delimiter?: string;
  readonly header?: boolean;
  readonly quote?: string;
  readonly escape?: string;
  /** The text that stands for null; default: the empty field. */
  readonly nullText?: string;
  readonly decimalSeparator?: string;
  /** Rows to skip at the head of each file. */
  readonly skip?: number;
}

export interface JsonOptions extends TextOptions {
  /** One document a line, or one array of documents; found by looking when absent. */
  readonly layout?: 'lines' | 'array';
}

export interface Table {
  readonly kind: 'table';
  readonly format: 'parquet' | 'csv' | 'json';
  readonly paths: readonly string[];
  readonly options: ParquetOptions & CsvOptions & JsonOptions;
}

/** A table of Parquet files: `parquet('data/profiles/*.parquet')`; `**` crosses folders. */
export function parquet(paths: string | readonly string[], options: ParquetOptions = {}): Table {
  return table('parquet', paths, options);
}

/** A table of CSV files; every row is looked at to find the columns' types. */
export function csv(paths: string | readonly string[], options: CsvOptions = {}): Table {
  return table('csv', paths, options);
}

/** A table of JSON files: a document a line, or an array of documents. */
export function json(paths: string | readonly string[], options: JsonOptions = {}): Table {
  return table('json', paths, options);
}

function table(format: Table['format'], paths: string | readonly string[], options: Table['options']): Table {
  return freezeCopy({ kind: 'table', format, paths: typeof paths === 'string' ? [paths] : paths, options });
}
