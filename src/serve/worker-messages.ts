/** What the main thread, the Flight worker and the thread that loads repositories tell each other. */
import type { TokenRecord } from '../access/token-record.ts';
import type { Actor } from '../audit/actor.ts';
import type { AuditAction } from '../audit/entry.ts';
import type { Config } from '../config.ts';
import { asFeatureStoreError, type ErrorCode, FeatureStoreError } from '../errors.ts';
import type { TraceParent } from '../observe.ts';
import type { RegistryDocument } from '../registry/document.ts';
import type { DatasetCall } from './dataset-calls.ts';

/** A repository, and the environment that its config is read under. */
export interface Place {
  readonly root: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export interface WorkerInput extends Place {
  readonly logLevel: string;
}

export type ToWorker =
  | { readonly type: 'stop' }
  /** Where HTTP listens, for those who ask the Flight side. */
  | { readonly type: 'http'; readonly host: string; readonly port: number }
  | {
      readonly type: 'call';
      readonly request: number;
      readonly name: WorkerCall;
      readonly input: unknown;
      /** Who asks, of what changes something; absent: this process. */
      readonly actor?: Actor;
      /** The span that the call belongs to. */
      readonly trace?: TraceParent;
    }
  | { readonly type: 'abort'; readonly request: number }
  /** An act was refused at a door of the main thread. */
  | { readonly type: 'refused'; readonly actor: Actor; readonly action: AuditAction; readonly failure: Failure }
  /** The answer to `drain_log` and `drain_usage`. */
  | { readonly type: 'drained'; readonly request: number };

/** What the main thread asks the worker to do. */
export type WorkerCall =
  | 'plan'
  | 'apply'
  | 'list'
  | 'describe'
  | 'newest_events'
  | 'create_token'
  | 'list_tokens'
  | 'revoke_token'
  | 'push'
  | 'write_online'
  | 'materialize'
  | 'run_sql'
  | 'erase'
  | 'lift_erasure'
  | 'list_erasures'
  | 'list_streams'
  | 'set_aside'
  | 'reset_source'
  | 'replay_source'
  | 'validate'
  | 'explain'
  | 'list_reports'
  | 'read_report'
  | 'last_checks'
  | 'scheduled_checks'
  | 'feature_health'
  | 'freshness'
  | 'alerts'
  | 'show_alerts'
  | 'audit'
  | 'audit_counts'
  | 'append_log'
  | 'log_counts'
  | DatasetCall;

export type FromWorker =
  | {
      readonly type: 'listening';
      readonly port: number;
      readonly config: Config;
      readonly registry: RegistryDocument;
      readonly tokens: readonly TokenRecord[];
    }
  | { readonly type: 'stopped' }
  | { readonly type: 'registry'; readonly registry: RegistryDocument }
  | { readonly type: 'tokens'; readonly tokens: readonly TokenRecord[] }
  /** What is known of the online store may have changed. */
  | { readonly type: 'written' }
  /** Who read what so far is to be stored, and then `drained` to be told. */
  | { readonly type: 'drain_usage'; readonly request: number }
  /** What was served so far is to be sent to the feature log, and then `drained` to be told. */
  | { readonly type: 'drain_log'; readonly request: number }
  | { readonly type: 'progress'; readonly request: number; readonly progress: unknown }
  | { readonly type: 'answered'; readonly request: number; readonly answer: CallAnswer }
  | (Failure & { readonly type: 'failed' });

export type RepositoryTask =
  | (Place & { readonly kind: 'config' })
  | (Place & { readonly kind: 'plan'; readonly current: RegistryDocument | undefined });

/** What the thread that loads a repository tells: the file it is about to run, undefined when all have run; then its answer. */
export type FromRepository = { readonly loading: string | undefined } | RepositoryAnswer;

export type RepositoryAnswer = CallAnswer;

export type CallAnswer = { readonly ok: true; readonly result: unknown } | Failure;

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
  return { ok: false, code, message, details: JSON.parse(JSON.stringify(details, bigintAsText)) };
}

function bigintAsText(_name: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}

/** The error that another thread told of. */
export function errorOf({ code, message, details }: Failure): FeatureStoreError {
  return new FeatureStoreError(code, message, { details });
}
