/** Asks a thread of its own to load the repository's config, or to plan what applying the repository would change. */
import { Worker } from 'node:worker_threads';
import type { Config } from '../config.ts';
import { FeatureStoreError } from '../errors.ts';
import type { PlannedApply } from '../registry/apply.ts';
import type { RegistryDocument } from '../registry/document.ts';
import type { FromRepository, Place, RepositoryAnswer, RepositoryTask } from './worker-messages.ts';

/** How long one file may run while it is loaded: definitions are values, and computing them takes a moment. */
const fileTimeoutMs = 30_000;

/** The repository's config; fails with what is wrong with it. */
export async function loadConfigApart(place: Place, timeoutMs = fileTimeoutMs): Promise<Config> {
  return (await runApart({ kind: 'config', ...place }, timeoutMs)) as Config;
}

/** What applying the repository would change of `current`; fails with everything that is wrong with the definitions. */
export async function planApart(
  place: Place,
  current: RegistryDocument | undefined,
  timeoutMs = fileTimeoutMs,
): Promise<PlannedApply> {
  return (await runApart({ kind: 'plan', ...place, current }, timeoutMs)) as PlannedApply;
}

/** A file that never ends, or ends the thread, fails by its name: nothing else of the process waits for it. */
async function runApart(task: RepositoryTask, timeoutMs: number): Promise<unknown> {
  const worker = new Worker(new URL('./repository-worker.js', import.meta.url), { workerData: task });
  let file: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  try {
    const answer = await new Promise<RepositoryAnswer>((resolve, reject) => {
      worker.on('message', (message: FromRepository) => {
        clearTimeout(timer);
        if (!('loading' in message)) return resolve(message);
        file = message.loading;
        if (file !== undefined) timer = setTimeout(() => reject(endlessError(file as string, timeoutMs)), timeoutMs);
      });
      worker.once('error', reject);
      worker.once('exit', (status) => reject(endedError(file, status)));
    });
    if (answer.ok) return answer.result;
    throw new FeatureStoreError(answer.code, answer.message, { details: answer.details });
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
}

function endlessError(file: string, timeoutMs: number): FeatureStoreError {
  return new FeatureStoreError(
    'INVALID_ARGUMENT',
    `${file} was still running after ${timeoutMs / 1000} s; a file must only define what it exports: look for an endless loop, or for what it awaits`,
    { details: { file } },
  );
}

function endedError(file: string | undefined, status: number): FeatureStoreError {
  if (file === undefined) return new FeatureStoreError('INTERNAL', `loading the repository ended with status ${status}`);
  return new FeatureStoreError(
    'INVALID_ARGUMENT',
    `${file} ended while it was loaded (status ${status}): it exits, or awaits what never comes; a file must only define what it exports`,
    { details: { file } },
  );
}
