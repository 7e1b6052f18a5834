/** A batch source: a table whose rows are values that held from an event time on. */
import { type DescribedOptions, freezeCopy } from './described.ts';
import type { Table } from './table.ts';

export interface BatchSourceOptions extends DescribedOptions {
  readonly table: Table;
  /** Column with the time from which a row holds. */
  readonly eventTimestamp: string;
  /** Column with the time at which a row was written: of rows with one event time the latest written wins. */
  readonly createdTimestamp?: string;
  /** Column with the time from which a row could be read; it holds for every view of the source. */
  readonly availableAt?: string;
  /** IANA zone of timestamps that carry none; such timestamps are refused without it (rule 1.2). */
  readonly timezone?: string;
  /** The reading of local times that do not exist or exist twice, which are otherwise refused (rule 1.2). */
  readonly ambiguousTime?: 'earlier' | 'later';
  /** Takes rows by push as well: what was pushed is part of the table on both paths. */
  readonly push?: boolean;
}

export interface BatchSource extends BatchSourceOptions {
  readonly kind: 'batchSource';
  readonly name: string;
}

/** Defines a batch source: `batchSource('profiles', { table: parquet('data/*.parquet'), eventTimestamp: 'event_timestamp' })`. */
export function batchSource(name: string, options: BatchSourceOptions): BatchSource {
  return freezeCopy({ ...options, kind: 'batchSource', name });
}
