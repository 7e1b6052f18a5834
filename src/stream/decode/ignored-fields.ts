/** Fields of events that their source does not declare: they are read by nobody, and counted by name, as far as there are not too many. */

export interface IgnoredField {
  readonly name: string;
  /** How many events had it. */
  readonly events: number;
  /** The offset of the last record that had it. */
  readonly offset: bigint;
}

export interface IgnoredFields {
  readonly fields: readonly IgnoredField[];
  /** Occurrences of names beyond those that are counted one by one. */
  readonly others: number;
}

export interface IgnoredFieldCounter {
  add(name: string, offset: bigint, events: number): void;
  read(): IgnoredFields;
}

/** Names that are counted one by one; whoever writes a name anew for each event fills no memory. */
export const maxIgnoredNames = 100;
const shownLength = 100;

export function countIgnoredFields(): IgnoredFieldCounter {
  const counted = new Map<string, { events: number; offset: bigint }>();
  let others = 0;
  return {
    add(name, offset, events) {
      const known = counted.get(name.length > shownLength ? cutName(name) : name);
      if (known !== undefined) {
        known.events += events;
        known.offset = offset;
      } else if (counted.size < maxIgnoredNames) counted.set(cutName(name), { events, offset });
      else others += events;
    },
    read: () => ({ fields: Array.from(counted, ([name, { events, offset }]) => ({ name, events, offset })), others }),
  };
}

/** A text of its own, which does not keep the record that it was cut from. */
function cutName(name: string): string {
  return Buffer.from(name.length > shownLength ? `${name.slice(0, shownLength)}…` : name).toString();
}
