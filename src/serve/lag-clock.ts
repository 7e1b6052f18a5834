/** For how long records of logs have waited, as this process has seen it: when it saw which end of a log first, and what is applied. */

export interface LagClock {
  /**
   * Takes what a look found: where a log ends, and its first record that is not applied. Gives for how many microseconds at least that one
   * has waited; undefined where this cannot be known, as when the first look finds it waiting.
   */
  look(log: string, end: bigint, next: bigint, nowUs: bigint): bigint | undefined;
  /** Whether that record was there when this process looked first: it may have waited for any time before. */
  isOlder(log: string): boolean;
}

interface Seen {
  /** Ends that are not applied yet, the oldest first, each with when it was seen first. */
  readonly ends: readonly { readonly end: bigint; readonly us: bigint }[];
  readonly isOlder: boolean;
}

/** Of more, every other one goes: what waits is then seen a little later than it was. */
const mostEnds = 512;

export function createLagClock(): LagClock {
  const logs = new Map<string, Seen>();
  return {
    look(log, end, next, nowUs) {
      const known = logs.get(log);
      // A log that is shorter than it was, or than what was read of it, is another one: it is looked at anew.
      if (next > end) {
        logs.delete(log);
        return undefined;
      }
      const isNew = known === undefined || (known.ends.at(-1)?.end ?? end) > end;
      const waiting = isNew ? [] : known.ends.filter((each) => each.end > next);
      const isOlder = next < end && (isNew || (known.isOlder && waiting.length === known.ends.length));
      const ends = next === end || waiting.at(-1)?.end === end ? waiting : [...waiting, { end, us: nowUs }];
      logs.set(log, { isOlder, ends: ends.length <= mostEnds ? ends : ends.filter((_, at) => at % 2 === 0) });
      if (next === end) return 0n;
      if (isNew) return undefined;
      const first = ends[0]?.us ?? nowUs;
      return first > nowUs ? 0n : nowUs - first;
    },
    isOlder: (log) => logs.get(log)?.isOlder === true,
  };
}
