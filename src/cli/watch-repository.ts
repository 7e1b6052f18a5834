/** Tells when files of a repository were saved. */
import { watch } from 'node:fs';
import { join } from 'node:path';

/** Editors save in several steps: what happens within this time is one change. */
const settleMs = 200;

/** Calls `changed` after definitions or config were saved, never twice at once; what is saved meanwhile makes one more call. */
export function watchRepository(root: string, changed: () => Promise<void>): { close(): void } {
  let timer: NodeJS.Timeout | undefined;
  let running = false;
  let again = false;
  const run = async () => {
    if (running) {
      again = true;
      return;
    }
    running = true;
    do {
      again = false;
      await changed();
    } while (again);
    running = false;
  };
  const saved = () => {
    clearTimeout(timer);
    timer = setTimeout(() => void run(), settleMs);
  };
  const watchers = [
    watch(join(root, 'features'), { recursive: true }, saved),
    watch(root, (_, file) => {
      if (file?.startsWith('featherflight.config.')) saved();
    }),
  ];
  return {
    close() {
      clearTimeout(timer);
      for (const watcher of watchers) watcher.close();
    },
  };
}
