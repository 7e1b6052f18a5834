/** Lets one that waits for something new be woken at once, and otherwise look for itself after a while. */

export interface WakeUp {
  wake(): void;
  /** Resolves when somebody has woken it since it last resolved, after a time, or when the signal aborts. For one that waits. */
  wait(milliseconds: number, signal: AbortSignal): Promise<void>;
}

export function createWakeUp(): WakeUp {
  let isAwake = false;
  let resume = () => {};
  return {
    wake() {
      isAwake = true;
      resume();
    },
    async wait(milliseconds, signal) {
      if (!isAwake && !signal.aborted) {
        await new Promise<void>((resolve) => {
          const end = () => {
            clearTimeout(timer);
            signal.removeEventListener('abort', end);
            resolve();
          };
          const timer = setTimeout(end, milliseconds);
          signal.addEventListener('abort', end, { once: true });
          resume = end;
        });
      }
      isAwake = false;
    },
  };
}
