/** What the main thread and the Flight worker tell each other. */
import type { ErrorCode } from '../errors.ts';

export interface WorkerInput {
  /** The repository. */
  readonly root: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
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
