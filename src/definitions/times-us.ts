/** Between which instants some rows are. */

/** The least and the greatest, in microseconds. */
export type TimesUs = readonly [least: bigint, greatest: bigint];

/** Those of all rows together; undefined: of none. */
export function joinTimes(one: TimesUs | undefined, other: TimesUs | undefined): TimesUs | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  const sorted = [...one, ...other].toSorted((a, b) => (a < b ? -1 : 1));
  return [sorted[0] as bigint, sorted[3] as bigint];
}
