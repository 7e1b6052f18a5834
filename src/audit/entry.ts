/** One act as the audit log tells it, in the names of the wire. */
import type { ErrorCode } from '../errors.ts';

export const auditActions = [
  'apply',
  'create_token',
  'revoke_token',
  'erase',
  'lift_erasure',
  'push',
  'write_online',
  'materialize',
  'run_sql',
  'reset_source',
  'replay_source',
  'create_dataset',
  'tag_dataset',
  'delete_dataset',
  'export_dataset',
  'fill',
  'fit_defaults',
] as const;

export type AuditAction = (typeof auditActions)[number];

export const auditOutcomes = ['done', 'refused', 'failed', 'running', 'unfinished'] as const;

/** `running`: by the process that is asked; `unfinished`: begun, and its end is not written. */
export type AuditOutcome = (typeof auditOutcomes)[number];

export interface AuditEntry {
  /** Ids sort as their acts began. */
  readonly id: string;
  /** When it began; of counted acts the first. */
  readonly at: string;
  readonly action: AuditAction;
  /** The views, sources, services, entities, datasets or ids of tokens that it concerned. */
  readonly names: readonly string[];
  readonly outcome: AuditOutcome;
  /** Of what was refused or failed. */
  readonly code: ErrorCode | null;
  /** What came of it, in a line. */
  readonly what: string;
  readonly caller: string;
  /** The id of the caller's token. */
  readonly token: string | null;
  /** The user of the operating system, of commands without a server. */
  readonly user: string | null;
  readonly door: Door;
  readonly address: string | null;
  readonly request_id: string | null;
  readonly trace_id: string | null;
  readonly ms: number | null;
  /** Of acts that are counted, and not told one by one: how many there were, and when the last was. */
  readonly requests: number | null;
  readonly until: string | null;
  /** Rows that were given, of acts that are counted. */
  readonly rows: number | null;
  readonly details: Readonly<Record<string, unknown>>;
}

export const doors = ['http', 'flight', 'cli', 'server'] as const;

/** `server`: nobody came, the server did it by itself. */
export type Door = (typeof doors)[number];

/** Whether an error says that the act was not to be; otherwise it was tried and failed. */
export function isRefusal(code: ErrorCode): boolean {
  return !['ABORTED', 'DEADLINE_EXCEEDED', 'UNAVAILABLE', 'DATA_LOSS', 'INTERNAL'].includes(code);
}
