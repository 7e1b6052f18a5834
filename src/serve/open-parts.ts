/** What serve and the local commands open alike: history over the repository's files, by its config. */
import { join } from 'node:path';
import type { Config } from '../config.ts';
import type { Logger } from '../observe.ts';
import { type History, openHistory } from '../offline/history.ts';

/** Opens history as a config describes it; the caller closes it. */
export async function openConfiguredHistory(config: Config, logger: Logger): Promise<History> {
  const { threads, memory, spill, cache } = config.offlineEngine;
  return await openHistory({
    root: config.root,
    directory: join(config.state, 'projections'),
    engine: { threads, memory, spillDirectory: join(config.state, 'spill', String(process.pid)), spillLimit: spill },
    cacheBytes: parseSize(cache),
    logger,
  });
}

const units: Readonly<Record<string, number>> = { K: 1, M: 2, G: 3, T: 4 };

/** Bytes of a size such as `4GB` (powers of 1000) or `512MiB` (powers of 1024). */
export function parseSize(text: string): number {
  const [, number = '0', unit = '', binary = ''] = /^(\d+(?:\.\d+)?)\s*([KMGT])(i?)B$/i.exec(text) ?? [];
  return Math.floor(Number(number) * (binary === '' ? 1000 : 1024) ** (units[unit.toUpperCase()] ?? 0));
}
