/** An entry as it is when its act begins. */
import { randomBytes } from 'node:crypto';
import type { Actor } from './actor.ts';
import type { AuditAction, AuditEntry } from './entry.ts';

export interface Begun {
  readonly action: AuditAction;
  readonly names?: readonly string[];
  readonly details?: Readonly<Record<string, unknown>>;
}

export type NewEntry = (actor: Actor, begun: Begun) => AuditEntry;

/** Names may be whatever somebody sends: a line stays one that can be read. */
const mostNames = 100;
const longestName = 200;

export function shortNames(names: readonly string[]): readonly string[] {
  return names.slice(0, mostNames).map((name) => name.slice(0, longestName));
}

export function createNewEntry(nextId: (at: string) => string, nowMs: () => number): NewEntry {
  return (actor, { action, names = [], details = {} }) => {
    const at = new Date(nowMs()).toISOString();
    return {
      id: nextId(at),
      at,
      action,
      names: shortNames(names),
      outcome: 'unfinished',
      code: null,
      what: '',
      caller: actor.caller,
      token: actor.token ?? null,
      user: actor.user ?? null,
      door: actor.door,
      address: actor.address ?? null,
      request_id: actor.requestId ?? null,
      trace_id: actor.traceId ?? null,
      ms: null,
      requests: null,
      until: null,
      rows: null,
      details,
    };
  };
}

/** Ids that sort by time and, of one process, by their order. */
export function createIds(): (at: string) => string {
  const process = randomBytes(4).toString('hex');
  let made = 0;
  return (at) => {
    made += 1;
    return `${at.replace(/[-:.Z]/g, '')}-${process}-${made.toString(36).padStart(6, '0')}`;
  };
}
