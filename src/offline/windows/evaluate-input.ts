/** What the functions that take a value are evaluated from. */
import type { BucketEvents, Chosen } from './bucket-events.ts';
import type { Bounds } from './window-bounds.ts';

export interface EvaluateInput {
  readonly events: BucketEvents;
  /** Events that pass `where` and have a value. */
  readonly chosen: Chosen;
  /** Among the chosen. */
  readonly bounds: Bounds;
  /** The expression. */
  readonly value: number;
  readonly size: number;
}
