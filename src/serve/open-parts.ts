/** What serve and the local commands open alike: history over the repository's files, by its config. */
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { bytesOf } from '../config/validate.ts';
import type { Config } from '../config.ts';
import type { Logger } from '../observe.ts';
import type { ReadErasedRows } from '../offline/archive/erased.ts';
import { type History, openHistory } from '../offline/history.ts';
import { removeLeftOvers } from '../offline/left-over.ts';

export interface ConfiguredHistoryOptions {
  /** Which rows of what was pushed are erased: needed where rows are read. */
  readonly readErased?: ReadErasedRows;
  /**
   * For definitions as they are in the files: what they read, and the ticks that they run, are kept in a folder of their own until the
   * history closes, beside what a server may be reading.
   */
  readonly isApart?: true;
}

/** Where audits copy sources. */
export function auditFolder({ state }: Pick<Config, 'state'>): string {
  return join(state, 'audits');
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
  for (const folder of [spills, previews, auditFolder(config)]) await removeLeftOvers(folder);
  const apart = join(previews, own);
  const results = join(config.storage, 'sql');
  const history = await openHistory({
    root: config.root,
    directory: isApart ? join(apart, 'projections') : join(config.state, 'projections'),
    archiveDirectory: join(config.storage, 'archive'),
    ...(isApart ? { ticksDirectory: join(apart, 'sql'), knownTicksDirectory: results } : { ticksDirectory: results }),
    readErased,
    engine: { threads, memory, spillDirectory: join(spills, own), spillLimit: spill },
    cacheBytes: bytesOf(cache),
    logger,
  });
  if (!isApart) return history;
  return {
    ...history,
    async close() {
      await history.close();
      await rm(apart, { recursive: true, force: true });
    },
  };
}
