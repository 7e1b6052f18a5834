/** An SQL source: a statement over other sources, run at every tick, whose results are the rows of a batch source (semantics 11). */
import type { BatchSource } from './batch-source.ts';
import { type DescribedOptions, freezeCopy } from './described.ts';
import type { DurationText } from './duration.ts';
import type { EventSource } from './event-source.ts';

export interface SqlSourceOptions extends DescribedOptions {
  /** What the statement may read, each by its name: of every one only rows before the tick that could be read by tick + `offset`. */
  readonly inputs: readonly (BatchSource | EventSource)[];
  /** The time from one tick to the next; ticks are counted from the Unix epoch. */
  readonly every: DurationText;
  /** How long after its tick a run begins, and from when on its rows can be read; default `0`. */
  readonly offset?: DurationText;
  /** Reads inputs as they were known: a row with a created timestamp counts from that on. */
  readonly asKnown?: boolean;
  /** One `select`, in which `$tick` is the tick. */
  readonly sql: string;
}

export interface SqlSource extends SqlSourceOptions {
  readonly kind: 'sqlSource';
  readonly name: string;
}

/** Defines an SQL source: `sqlSource('item_daily', { inputs: [clicks], every: '1d', offset: '3h', sql: 'select … from clicks …' })`. */
export function sqlSource(name: string, options: SqlSourceOptions): SqlSource {
  return freezeCopy({ ...options, kind: 'sqlSource', name });
}
