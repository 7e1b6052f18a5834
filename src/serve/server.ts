/** The server as its main thread sees it: starts the Flight worker, hands on requests to apply, and drains at the end. */
import { Worker } from 'node:worker_threads';
import { FeatureStoreError } from '../errors.ts';
import type { FromWorker, ToWorker, WorkerInput } from './worker-messages.ts';

export interface ServerOptions {
  /** The repository to serve. */
  readonly root: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** pino's levels; default `info`. */
  readonly logLevel?: string;
}

export interface RunningServer {
  /** `grpc://host:port`. */
  readonly url: string;
  readonly project: string;
  /** The applied version when it started; 0 is none. */
  readonly version: number;
  /** Reads the repository again and applies it; resolves with the new version and what changed. */
  apply(): Promise<unknown>;
  /** Lets running calls finish, then closes everything. */
  stop(): Promise<void>;
  /** Rejects if the server dies by itself. */
  readonly died: Promise<never>;
}

/** Starts a server; rejects with what is wrong with the repository, its state or its address. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const input: WorkerInput = { root: options.root, environment: options.environment, logLevel: options.logLevel ?? 'info' };
  const worker = new Worker(new URL('./flight-worker.js', import.meta.url), { workerData: input });
  const send = (message: ToWorker) => worker.postMessage(message);
  let stopping = false;
  let requests = 0;
  let died: (error: Error) => void = () => {};
  const death = new Promise<never>((_, reject) => {
    died = reject;
  });
  death.catch(() => {});
  const next = (wanted: (message: FromWorker) => boolean): Promise<FromWorker> =>
    new Promise((resolve) => {
      const listen = (message: FromWorker) => {
        if (!wanted(message)) return;
        worker.off('message', listen);
        resolve(message);
      };
      worker.on('message', listen);
    });
  worker.on('message', (message: FromWorker) => {
    if (message.type === 'failed') died(new FeatureStoreError(message.code, message.message, { details: message.details }));
  });
  worker.on('error', (error) => died(error));
  worker.on('exit', (code) => {
    if (!stopping) died(new FeatureStoreError('INTERNAL', `the Flight worker ended by itself with status ${code}`));
  });
  const started = await Promise.race([next((message) => message.type === 'listening'), death]).catch(async (error) => {
    stopping = true;
    await worker.terminate();
    throw error;
  });
  if (started.type !== 'listening') throw new FeatureStoreError('INTERNAL', 'the Flight worker did not start');
  return {
    url: `grpc://${started.host}:${started.port}`,
    project: started.project,
    version: started.version,
    died: death,
    async apply() {
      const request = ++requests;
      const answered = next((message) => message.type === 'applied' && message.request === request);
      send({ type: 'apply', request });
      const message = await Promise.race([answered, death]);
      if (message.type !== 'applied') throw new FeatureStoreError('INTERNAL', 'the Flight worker answered something else');
      if (message.answer.ok) return message.answer.result;
      const { code, details } = message.answer;
      throw new FeatureStoreError(code, message.answer.message, { details });
    },
    async stop() {
      stopping = true;
      const stopped = next((message) => message.type === 'stopped');
      send({ type: 'stop' });
      await Promise.race([stopped, death]);
      await worker.terminate();
    },
  };
}
