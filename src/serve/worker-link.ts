/** The Flight worker as the main thread reaches it: calls with answers, progress and abortion, and the news that it tells. */
import { Worker } from 'node:worker_threads';
import type { Actor } from '../audit/actor.ts';
import { FeatureStoreError } from '../errors.ts';
import type { TraceParent } from '../observe.ts';
import {
  type CallAnswer,
  errorOf,
  type FromWorker,
  type ToWorker,
  type WorkerCall,
  type WorkerInput,
} from './worker-messages.ts';

export type Listening = Extract<FromWorker, { type: 'listening' }>;

export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: unknown) => void;
  /** Who asks, of what changes something. */
  readonly actor?: Actor;
  /** The span that the call belongs to. */
  readonly trace?: TraceParent;
  /** Memory in the input that is the worker's from then on. */
  readonly transfer?: readonly ArrayBuffer[];
}

export interface WorkerLink {
  readonly started: Listening;
  call(name: WorkerCall, input: unknown, options?: CallOptions): Promise<unknown>;
  send(message: ToWorker): void;
  /** Lets running calls finish, closes everything and ends the thread. */
  stop(): Promise<void>;
  /** Rejects if the worker dies by itself. */
  readonly died: Promise<never>;
}

interface Waiting {
  readonly settle: (answer: CallAnswer) => void;
  readonly onProgress: (progress: unknown) => void;
}

/** Starts the worker and resolves when it listens; `onNews` is told what is applied and which tokens there are from then on. */
export async function startWorker(input: WorkerInput, onNews: (news: FromWorker) => void): Promise<WorkerLink> {
  const worker = new Worker(new URL('./flight-worker.js', import.meta.url), { workerData: input });
  const waiting = new Map<number, Waiting>();
  let stopping = false;
  let requests = 0;
  let die: (error: Error) => void = () => {};
  let listen: (message: Listening) => void = () => {};
  let stopped: () => void = () => {};
  const died = new Promise<never>((_, reject) => {
    die = reject;
  });
  died.catch(() => {});
  const listening = new Promise<Listening>((resolve) => {
    listen = resolve;
  });
  const send = (message: ToWorker, transfer: readonly ArrayBuffer[] = []) => worker.postMessage(message, transfer);

  worker.on('message', (message: FromWorker) => {
    switch (message.type) {
      case 'failed':
        die(errorOf(message));
        break;
      case 'listening':
        listen(message);
        break;
      case 'stopped':
        stopped();
        break;
      case 'progress':
        waiting.get(message.request)?.onProgress(message.progress);
        break;
      case 'answered':
        waiting.get(message.request)?.settle(message.answer);
        break;
      default:
        onNews(message);
    }
  });
  worker.on('error', (error) => die(error));
  worker.on('exit', (code) => {
    if (!stopping) die(new FeatureStoreError('INTERNAL', `the Flight worker ended by itself with status ${code}`));
  });
  const started = await Promise.race([listening, died]).catch(async (error) => {
    stopping = true;
    await worker.terminate();
    throw error;
  });

  async function call(
    name: WorkerCall,
    given: unknown,
    { signal, onProgress = () => {}, actor, trace, transfer }: CallOptions = {},
  ): Promise<unknown> {
    signal?.throwIfAborted();
    const request = ++requests;
    const abort = () => send({ type: 'abort', request });
    const answered = new Promise<CallAnswer>((settle) => waiting.set(request, { settle, onProgress }));
    signal?.addEventListener('abort', abort, { once: true });
    try {
      send({ type: 'call', request, name, input: given, actor, trace }, transfer);
      const answer = await Promise.race([answered, died]);
      if (answer.ok) return answer.result;
      throw errorOf(answer);
    } finally {
      waiting.delete(request);
      signal?.removeEventListener('abort', abort);
    }
  }

  return {
    started,
    call,
    send,
    died,
    async stop() {
      stopping = true;
      const done = new Promise<void>((resolve) => {
        stopped = resolve;
      });
      send({ type: 'stop' });
      await Promise.race([done, died]);
      await worker.terminate();
    },
  };
}
