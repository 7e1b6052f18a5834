/** Long loops in turns, so that whatever else the process does goes on beside them. */
import { setImmediate } from 'node:timers/promises';

/** Most milliseconds between two turns, if it is awaited that often. */
const turnMs = 10;

/** To be awaited every few thousand steps: waits for others once a turn is over, and throws the reason once `signal` is aborted. */
export type Pace = () => Promise<void> | undefined;

export function createPace(signal: AbortSignal | undefined): Pace {
  let started = performance.now();
  return () => (performance.now() - started < turnMs ? undefined : pause());
  async function pause() {
    await setImmediate();
    signal?.throwIfAborted();
    started = performance.now();
  }
}
