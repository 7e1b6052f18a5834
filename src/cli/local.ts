/** The repository of the command line, opened without a server: its definitions, its files and its state. */
import type { Config } from '../config.ts';
import { FeatureStoreError } from '../errors.ts';
import { silentLogger } from '../observe.ts';
import type { History } from '../offline/history.ts';
import type { RegistryDocument } from '../registry/document.ts';
import { loadConfig, loadRepository } from '../registry/load.ts';
import type { Repository } from '../registry/repository.ts';
import { readState } from '../registry/state.ts';
import { openConfiguredHistory } from '../serve/open-parts.ts';
import type { Context } from './context.ts';

/** Runs `work` over the definitions as they are in the files now. */
export async function withRepository<T>(
  context: Context,
  work: (repository: Repository, history: History) => Promise<T>,
): Promise<T> {
  const repository = await loadRepository(context.directory, context.environment);
  return await withHistory(await openConfiguredHistory(repository.config, silentLogger, 'apart'), (history) =>
    work(repository, history),
  );
}

/** Runs `work` over what is applied; FAILED_PRECONDITION where nothing is yet. */
export async function withApplied<T>(
  context: Context,
  work: (registry: RegistryDocument, history: History, config: Config) => Promise<T>,
): Promise<T> {
  const config = await loadConfig(context.directory, context.environment);
  const state = readState(config.state);
  const registry = state.readDocument();
  await state.close();
  if (registry === undefined) {
    throw new FeatureStoreError('FAILED_PRECONDITION', `nothing is applied in ${context.directory} yet; run featherflight apply`);
  }
  return await withHistory(await openConfiguredHistory(config, silentLogger), (history) => work(registry, history, config));
}

async function withHistory<T>(history: History, work: (history: History) => Promise<T>): Promise<T> {
  try {
    return await work(history);
  } finally {
    await history.close();
  }
}
