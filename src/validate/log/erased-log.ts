/** Which rows of the feature log are of erased entities (rule 8.4): those in which a look-up had their keys. */
import { compileErased } from '../../offline/archive/erased.ts';
import type { DecodedKey } from '../../online/encoding/decode-key.ts';
import type { LogShape } from './shape.ts';

/** All that is erased now: the very same list as long as nothing has changed. */
export type ReadErasures = () => Promise<readonly DecodedKey[]>;

/** A condition that is true of rows of erased entities alone; undefined where no row of the shape can be one's. */
export function compileErasedRows({ lookups, columns }: LogShape, erasures: readonly DecodedKey[]): string | undefined {
  const erased = lookups.flatMap(({ keys }) =>
    erasures.flatMap(({ joinKeys, parts }) => {
      const held = joinKeys.map((name) => keys.find(({ joinKey }) => joinKey === name)?.column);
      if (held.length === 0 || held.includes(undefined)) return [];
      return [parts.map((value, at) => ({ column: held[at] as string, value }))];
    }),
  );
  return compileErased(
    erased,
    columns.map(({ name }) => name),
  );
}
