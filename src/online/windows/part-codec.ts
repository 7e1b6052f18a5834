/** The state of a feature as its aggregate saves it, each part as value-codec.ts says. */
import type { CompiledAggregate } from '../../aggregate/compile-aggregate.ts';
import type { LiteralValue } from '../../definitions/literal.ts';
import { type Cursor, checkEnd, type Sink } from '../encoding/bytes.ts';
import { compileValueReader, compileValueWriter } from '../encoding/value-codec.ts';

/** How the state of a feature is saved; of a definition that is no more it stays the parts that it was saved as. */
export type SavedAggregate = Pick<CompiledAggregate, 'stateTypes' | 'init' | 'save' | 'load' | 'merge'>;

export interface PartCodec {
  /** undefined for a state that says no more than a new one. */
  save(state: object): readonly LiteralValue[] | undefined;
  write(sink: Sink, saved: readonly LiteralValue[]): void;
  read(cursor: Cursor): object;
  init(): object;
  merge(into: object, from: object): void;
}

export function compilePart({ stateTypes, save, load, init, merge }: SavedAggregate): PartCodec {
  const writers = stateTypes.map(compileValueWriter);
  const readers = stateTypes.map(compileValueReader);
  return {
    init,
    merge,
    save(state) {
      const saved = save(state);
      return saved.includes(null) ? undefined : saved;
    },
    write(sink, saved) {
      for (let at = 0; at < writers.length; at++) {
        (writers[at] as (typeof writers)[number])(sink, saved[at] as NonNullable<LiteralValue>);
      }
    },
    read(cursor) {
      const saved = readers.map((read) => read(cursor));
      checkEnd(cursor);
      return load(saved);
    },
  };
}
