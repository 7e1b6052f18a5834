/** Turns of checks, which recompute history: one at a time, each in a turn of the query queue that it gives away to whoever waits. */
import { createQueryQueue, type QueryQueue, type QueueLimits, type Turn } from './query-queue.ts';

export interface CheckTurns {
  /** Runs the work in its turn; RESOURCE_EXHAUSTED with a time to retry where as many wait as may, or the time of a query is up. */
  run<T>(owner: string, signal: AbortSignal, work: (turn: Pick<Turn, 'signal' | 'giveWay'>) => Promise<T>): Promise<T>;
}

/** For whoever is alone: a command on its own state. */
export const alone: CheckTurns = {
  run: (_, signal, work) => work({ signal, giveWay: async () => {} }),
};

export function createCheckTurns(queries: QueryQueue, limits: QueueLimits): CheckTurns {
  const checks = createQueryQueue({ ...limits, maxConcurrentQueries: 1 }, 'check');
  return {
    async run(owner, signal, work) {
      const place = await checks.enter(owner, signal);
      let turn: Turn | undefined;
      try {
        turn = await queries.enter(owner, place.signal);
        return await work(turn);
      } catch (error) {
        throw place.signal.aborted ? place.signal.reason : error;
      } finally {
        turn?.leave();
        place.leave();
      }
    },
  };
}
