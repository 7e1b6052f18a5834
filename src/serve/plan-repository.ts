/** What applying a repository would change, checked against the real files by an engine of its own. */
import { silentLogger } from '../observe.ts';
import { type PlannedApply, planApply } from '../registry/apply.ts';
import type { RegistryDocument } from '../registry/document.ts';
import type { loadRepository } from '../registry/load.ts';
import { openTransform } from '../transform/open-transform.ts';
import { openConfiguredHistory } from './open-parts.ts';

type LoadedRepository = Awaited<ReturnType<typeof loadRepository>>;

export async function planRepository(repository: LoadedRepository, current: RegistryDocument | undefined): Promise<PlannedApply> {
  const history = await openConfiguredHistory(repository.config, silentLogger, { isApart: true });
  try {
    return await planApply(repository, { readDocument: () => current }, { ...history, checkTransform: openTransform });
  } finally {
    await history.close();
  }
}
