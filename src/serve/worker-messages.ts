/** What the main thread, the Flight worker and the thread that loads repositories tell each other. */
import type { ErrorCode } from '../errors.ts';
import type { RegistryDocument } from '../registry/document.ts';

/** A repository, and the environment that its config is read under. */
export interface Place {
  readonly root: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface WorkerInput extends Place {
  readonly logLevel: string;
}

export type ToWorker = { readonly type: 'stop' } | { readonly type: 'apply' };

export type FromWorker =
  | {
      readonly type: 'listening';
      readonly host: string;
      readonly port: number;
      readonly project: string;
      readonly version: number;
    }
  | { readonly type: 'stopped' }
  | { readonly type: 'applied'; readonly result: unknown }
  | { readonly type: 'apply-failed'; readonly message: string }
  | {
      readonly type: 'failed';
      readonly code: ErrorCode;
      readonly message: string;
      readonly details: Readonly<Record<string, unknown>>;
      readonly stack: string;
    };

export type RepositoryTask =
  | (Place & { readonly kind: 'config' })
  | (Place & { readonly kind: 'plan'; readonly current: RegistryDocument | undefined });

export type RepositoryAnswer =
  | { readonly ok: true; readonly result: unknown }
  | {
      readonly ok: false;
      readonly code: ErrorCode;
      readonly message: string;
      readonly details: Readonly<Record<string, unknown>>;
    };
