/**
 * A short-lived thread that loads the repository and ends. What it loads (a compiler among it) would make every garbage collection
 * of the Flight worker several times dearer, and a fresh thread sees the files as they are.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { silentLogger } from '../observe.ts';
import { planApply } from '../registry/apply.ts';
import { loadConfig, loadRepository } from '../registry/load.ts';
import { openTransform } from '../transform/open-transform.ts';
import { openConfiguredHistory } from './open-parts.ts';
import { type FromRepository, failureOf, type RepositoryTask } from './worker-messages.ts';

const task = workerData as RepositoryTask;

async function run(): Promise<unknown> {
  if (task.kind === 'config') return await loadConfig(task.root, task.environment, loading);
  const repository = await loadRepository(task.root, task.environment, loading);
  loading(undefined);
  const history = await openConfiguredHistory(repository.config, silentLogger, { isApart: true });
  try {
    const { current } = task;
    return await planApply(repository, { readDocument: () => current }, { ...history, checkTransform: openTransform });
  } finally {
    await history.close();
  }
}

function tell(message: FromRepository): void {
  parentPort?.postMessage(message);
}

function loading(file: string | undefined): void {
  tell({ loading: file });
}

run().then(
  (result) => tell({ ok: true, result }),
  (error: unknown) => tell(failureOf(error)),
);
