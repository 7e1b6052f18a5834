/**
 * A short-lived thread that loads the repository and ends. What it loads (a compiler among it) would make every garbage collection
 * of the Flight worker several times dearer, and a fresh thread sees the files as they are.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { loadConfig, loadRepository } from '../registry/load.ts';
import { type FromRepository, failureOf, type RepositoryTask } from './worker-messages.ts';

const task = workerData as RepositoryTask;

async function run(): Promise<unknown> {
  if (task.kind === 'config') return await loadConfig(task.root, task.environment, loading);
  const repository = await loadRepository(task.root, task.environment, loading);
  loading(undefined);
  // The engine is for plans alone: a server that starts does not wait for its modules.
  const { planRepository } = await import('./plan-repository.ts');
  return await planRepository(repository, task.current);
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
