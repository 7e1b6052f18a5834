/** What serve and the local commands open alike: history over the repository's files, by its config. */
import { randomUUID } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config.ts';
import type { Logger } from '../observe.ts';
import type { ReadErasedRows } from '../offline/archive/erased.ts';
import { type History, openHistory } from '../offline/history.ts';
import { isLeftOver } from '../offline/left-over.ts';

export interface ConfiguredHistoryOptions {
  /** Which rows of what was pushed are erased: needed where rows are read. */
  readonly readErased?: ReadErasedRows;
  /**
   * For definitions as they are in the files: what they read is kept in a folder of its own until the history closes, beside what a
   * server may be reading.
   */
  readonly isApart?: true;
}

/** Opens history as a config describes it; the caller closes it. */
export async function openConfiguredHistory(
  config: Config,
  logger: Logger,
  { readErased, isApart }: ConfiguredHistoryOptions = {},
): Promise<History> {
  const { threads, memory, spill, cache } = config.offlineEngine;
  const own = `${process.pid}-${randomUUID()}`;
  const spills = join(config.state, 'spill');
  const previews = join(config.state, 'preview');
  await removeLeftOvers(spills);
  await removeLeftOvers(previews);
  const directory = isApart ? join(previews, own) : join(config.state, 'projections');
  const history = await openHistory({
    root: config.root,
    directory,
    archiveDirectory: join(config.storage, 'archive'),
    readErased,
    engine: { threads, memory, spillDirectory: join(spills, own), spillLimit: spill },
    cacheBytes: parseSize(cache),
    logger,
  });
  if (!isApart) return history;
  return {
    ...history,
    async close() {
      await history.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** What processes that died have left in folders named by their ids. */
async function removeLeftOvers(directory: string): Promise<void> {
  for (const name of await readdir(directory).catch(() => [])) {
    const path = join(directory, name);
    if (await isLeftOver(path, Number.parseInt(name, 10))) await rm(path, { recursive: true, force: true });
  }
}

const units: Readonly<Record<string, number>> = { K: 1, M: 2, G: 3, T: 4 };

/** Bytes of a size such as `4GB` (powers of 1000) or `512MiB` (powers of 1024). */
function parseSize(text: string): number {
  const [, number = '0', unit = '', binary = ''] = /^(\d+(?:\.\d+)?)\s*([KMGT])(i?)B$/i.exec(text) ?? [];
  return Math.floor(Number(number) * (binary === '' ? 1000 : 1024) ** (units[unit.toUpperCase()] ?? 0));
}
