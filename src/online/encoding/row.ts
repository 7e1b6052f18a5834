/** A row of one view and one entity as the online store keeps it. */
import type { LiteralValue } from '../../definitions/literal.ts';

export interface OnlineRow {
  /** Microseconds since the epoch. */
  readonly eventUs: bigint;
  /** null where the source has no created timestamp, or none in this row. */
  readonly createdUs: bigint | null;
  /** Only of sources with `availableAt`; null otherwise. */
  readonly availableUs: bigint | null;
  /** Whether it was pushed or written by a client, and not read from the source. */
  readonly pushed: boolean;
  /** One value a feature, in the order of the row's schema. */
  readonly values: readonly LiteralValue[];
}

/** What the values of a row are: a row says which schema it was written under, and is read feature by feature (rule 8.3). */
export interface RowSchema {
  readonly view: string;
  readonly features: readonly {
    readonly name: string;
    /** As formatValueType spells it. */
    readonly type: string;
    /** The feature's definition hash. */
    readonly hash: string;
  }[];
}
