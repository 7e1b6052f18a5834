/** An entity: what features are about, known by one or more typed join keys (rule 2.1). */
import { type DescribedOptions, freezeCopy } from './described.ts';
import type { KeyType } from './value-type.ts';

export interface EntityOptions<J extends string = string> extends DescribedOptions {
  /** Join key -> type, in the order in which composite keys are written. */
  readonly joinKeys: Readonly<Record<J, KeyType>>;
}

export interface Entity<J extends string = string> extends EntityOptions<J> {
  readonly kind: 'entity';
  readonly name: string;
}

/** Defines an entity: `entity('user', { joinKeys: { user_id: 'int64' } })`. */
export function entity<const J extends string>(name: string, options: EntityOptions<J>): Entity<J> {
  return freezeCopy({ ...options, kind: 'entity', name });
}
