/** The repository of the command line, opened without a server: its definitions, its files and its state. */
import type { Config } from '../config.ts';
import { FeatureStoreError } from '../errors.ts';
import { createErasedRows } from '../materialize/erased-rows.ts';
import { silentLogger } from '../observe.ts';
import type { History } from '../offline/history.ts';
import { openOnlineStore } from '../online/open-store.ts';
import type { OnlineStore } from '../online/store.ts';
import type { RegistryDocument } from '../registry/document.ts';
import { loadConfig, loadRepository } from '../registry/load.ts';
import type { Repository } from '../registry/repository.ts';
import { readState } from '../registry/state.ts';
import { type ConfiguredHistoryOptions, openConfiguredHistory } from '../serve/open-parts.ts';
import type { Context } from './context.ts';

/** Runs `work` over the definitions as they are in the files now. */
export async function withRepository<T>(
  context: Context,
  work: (repository: Repository, history: History, store: () => OnlineStore) => Promise<T>,
): Promise<T> {
  const repository = await loadRepository(context.directory, context.environment);
  const { config } = repository;
  return await withHistory(config, await readApplied(config), { isApart: true }, (history, store) =>
    work(repository, history, store),
  );
}

/** Runs `work` over what is applied, with its online store; FAILED_PRECONDITION where nothing is yet. */
export async function withApplied<T>(
  context: Context,
  work: (registry: RegistryDocument, history: History, store: () => OnlineStore, config: Config) => Promise<T>,
): Promise<T> {
  const config = await loadConfig(context.directory, context.environment);
  const registry = await readApplied(config);
  if (registry === undefined) {
    throw new FeatureStoreError('FAILED_PRECONDITION', `nothing is applied in ${context.directory} yet; run featherflight apply`);
  }
  return await withHistory(config, registry, {}, (history, store) => work(registry, history, store, config));
}

async function readApplied({ state: directory }: Config): Promise<RegistryDocument | undefined> {
  const state = readState(directory);
  try {
    return state.readDocument();
  } finally {
    await state.close();
  }
}

/** The store opens when it is asked for: by `work`, or to learn what is erased of what was pushed. */
async function withHistory<T>(
  config: Config,
  registry: RegistryDocument | undefined,
  options: Pick<ConfiguredHistoryOptions, 'isApart'>,
  work: (history: History, store: () => OnlineStore) => Promise<T>,
): Promise<T> {
  let opened: OnlineStore | undefined;
  const store = () => {
    opened ??= openOnlineStore(config, silentLogger);
    return opened;
  };
  const readErased = createErasedRows({ store, registry: () => registry });
  const history = await openConfiguredHistory(config, silentLogger, { ...options, readErased });
  try {
    return await work(history, store);
  } finally {
    await history.close();
    await opened?.close();
  }
}
