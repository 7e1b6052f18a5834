/** A log: partitions of records with ascending offsets, read in order from where a reader says. */

export interface LogRecord {
  readonly offset: bigint;
  readonly value: Uint8Array | null;
}

/** `first`: the first offset that the log still has; `end`: the one that its next record gets. */
export interface LogRange {
  readonly first: bigint;
  readonly end: bigint;
}

export interface LogReader {
  /** Where to read a partition from; called whenever this process begins to read it. Throws when the log is shorter than the progress. */
  open(partition: string, range: LogRange, signal: AbortSignal): Promise<bigint>;
  /**
   * Records in order from there on, one call at a time for a partition; resolves when all may be forgotten. `end` is the log's end now.
   */
  take(partition: string, records: readonly LogRecord[], end: bigint, signal: AbortSignal): Promise<void>;
  /**
   * Behind all that was taken nothing for a reader comes before `next`, which is the log's end: marks of transactions stand there, or what
   * was deleted did. In turn with `take`.
   */
  pass(partition: string, next: bigint, signal: AbortSignal): Promise<void>;
}

export interface StreamLog {
  /** For people; never a password. */
  readonly name: string;
  /** Reads until aborted; rejects on what does not mend itself. Partitions come and go with rebalances. */
  run(reader: LogReader, signal: AbortSignal): Promise<void>;
  /** By partition, for lag. */
  ranges(signal?: AbortSignal): Promise<ReadonlyMap<string, LogRange>>;
}
