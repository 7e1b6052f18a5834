/** Work that is done one after another in each lane, and side by side in different ones. */

/** Lanes by name; `idle` resolves when what has come until then is done. */
export function createLanes() {
  const last = new Map<string, Promise<unknown>>();
  return {
    async run<T>(lane: string, work: () => Promise<T>): Promise<T> {
      const run = (last.get(lane) ?? Promise.resolve()).then(work, work);
      last.set(lane, run);
      try {
        return await run;
      } finally {
        if (last.get(lane) === run) last.delete(lane);
      }
    },
    idle: () => Promise.allSettled(last.values()),
  };
}
