/** What the main thread, the Flight worker and the thread that loads repositories tell each other. */
import { asFeatureStoreError, type ErrorCode } from '../errors.ts';
import type { RegistryDocument } from '../registry/document.ts';

/** A repository, and the environment that its config is read under. */
export interface Place {
  readonly root: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface WorkerInput extends Place {
  readonly logLevel: string;
}

export type ToWorker = { readonly type: 'stop' } | { readonly type: 'apply'; readonly request: number };

export type FromWorker =
  | {
      readonly type: 'listening';
      readonly host: string;
      readonly port: number;
      readonly project: string;
      readonly version: number;
    }
  | { readonly type: 'stopped' }
  | { readonly type: 'applied'; readonly request: number; readonly answer: RepositoryAnswer }
  | (Failure & { readonly type: 'failed' });

export type RepositoryTask =
  | (Place & { readonly kind: 'config' })
  | (Place & { readonly kind: 'plan'; readonly current: RegistryDocument | undefined });

/** What the thread that loads a repository tells: the file it is about to run, undefined when all have run; then its answer. */
export type FromRepository = { readonly loading: string | undefined } | RepositoryAnswer;

export type RepositoryAnswer = { readonly ok: true; readonly result: unknown } | Failure;

/** A FeatureStoreError as it passes between threads. */
export interface Failure {
  readonly ok: false;
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** What another thread is told of an error. */
export function failureOf(error: unknown): Failure {
  const { code, message, details } = asFeatureStoreError(error);
  return { ok: false, code, message, details: JSON.parse(JSON.stringify(details)) };
}
