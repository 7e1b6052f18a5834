/** Asks a thread of its own to load the repository's config, or to plan what applying the repository would change. */
import { Worker } from 'node:worker_threads';
import type { Config } from '../config.ts';
import { FeatureStoreError } from '../errors.ts';
import type { PlannedApply } from '../registry/apply.ts';
import type { RegistryDocument } from '../registry/document.ts';
import type { Place, RepositoryAnswer, RepositoryTask } from './worker-messages.ts';

/** The repository's config; fails with what is wrong with it. */
export async function loadConfigApart(place: Place): Promise<Config> {
  return (await runApart({ kind: 'config', ...place })) as Config;
}

/** What applying the repository would change of `current`; fails with everything that is wrong with the definitions. */
export async function planApart(place: Place, current: RegistryDocument | undefined): Promise<PlannedApply> {
  return (await runApart({ kind: 'plan', ...place, current })) as PlannedApply;
}

async function runApart(task: RepositoryTask): Promise<unknown> {
  const worker = new Worker(new URL('./repository-worker.js', import.meta.url), { workerData: task });
  try {
    const message = await new Promise<RepositoryAnswer>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
      worker.once('exit', (code) =>
        reject(new FeatureStoreError('INTERNAL', `loading the repository ended with status ${code}`)),
      );
    });
    if (message.ok) return message.result;
    throw new FeatureStoreError(message.code, message.message, { details: message.details });
  } finally {
    await worker.terminate();
  }
}
