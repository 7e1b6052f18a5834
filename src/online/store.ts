/**
 * What an online store is: many values read in one round trip, and many replaced if they are still what was read. Everything that the
 * values mean (rows, order, tombstones, watermarks) stands above it and is the same for every store.
 */

/** One value to put in the place of another. */
export interface Replacement {
  readonly key: Uint8Array;
  /** What must stand there now; undefined: nothing. */
  readonly expected: Uint8Array | undefined;
  /** What is to stand there; undefined removes the key. */
  readonly value: Uint8Array | undefined;
  /** Other values that change in the same instant where this one is replaced, whatever they were; their keys have its slot in a Cluster. */
  readonly beside?: readonly Beside[];
}

export interface Beside {
  readonly key: Uint8Array;
  /** undefined removes the key. */
  readonly value: Uint8Array | undefined;
}

export interface OnlineStore {
  /** How the store is named to people: `LMDB in DIRECTORY`, `Redis at HOST:PORT`; never a password. */
  readonly name: string;
  /**
   * The values of keys, in their order, in one round trip; undefined where there is none. UNAVAILABLE when the store cannot be reached or
   * does not answer in time.
   */
  read(keys: readonly Uint8Array[], signal?: AbortSignal): Promise<(Uint8Array | undefined)[]>;
  /**
   * Replaces each value that is as expected, each atomically by itself, and gives the positions of those that were not. Of a key that is
   * named several times only the first may expect nothing. What has been replaced is durable as far as the store can be when the promise resolves. After an error any part of it may have happened.
   */
  replace(replacements: readonly Replacement[], signal?: AbortSignal): Promise<number[]>;
  /** Every key that begins with `prefix`, in no order, in pages; a key may come twice, one written meanwhile may be missing. */
  scan(prefix: Uint8Array, signal?: AbortSignal): AsyncIterable<readonly Uint8Array[]>;
  /** Resolves when the store answers and takes writes; otherwise the error says what is wrong with it. */
  check(signal?: AbortSignal): Promise<void>;
  close(): Promise<void>;
}
