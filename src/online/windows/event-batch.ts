/** Some events of one partition of a stream, which enter states together. */
import type { ViewEvents } from './key-changes.ts';

export interface EventBatch {
  readonly partition: string;
  /** The offset after the last of the batch, events that concern no view included. */
  readonly next: bigint;
  readonly nowUs: bigint;
  /** Events before this are late in every partition, so that no session that they could extend is needed; undefined where none is. */
  readonly acceptedFromUs: bigint | undefined;
  /** In the order of their offsets. */
  readonly events: readonly ViewEvents[];
  /** Whether a fence can go: the progress of its partition has reached it for sure. */
  isCommitted(partition: string, next: bigint): boolean;
  /** The progress of this partition as the store has it when it is called. */
  readCommitted(signal?: AbortSignal): Promise<bigint>;
}
