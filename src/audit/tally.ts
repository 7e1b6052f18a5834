/** Acts that are too many to be told one by one: counted by who does what to which name, and how it ends. */
import type { ErrorCode } from '../errors.ts';
import type { Actor } from './actor.ts';
import { type AuditAction, type AuditEntry, isRefusal } from './entry.ts';
import { shortNames } from './new-entry.ts';

export interface CountedAct {
  readonly action: AuditAction;
  readonly name: string | undefined;
  readonly rows: number;
  /** Undefined: it was done. */
  readonly code: ErrorCode | undefined;
  /** Whether callers are told apart by where they are: those of whom else nothing is known. */
  readonly byAddress: boolean;
}

export interface Tally {
  count(actor: Actor, act: CountedAct): void;
  /** What was counted since the last time, without ids. */
  take(): readonly Omit<AuditEntry, 'id'>[];
}

/** So many are told apart by name and address, and all others by who does what. */
const mostEntries = 1000;

interface Counter {
  readonly actor: Actor;
  readonly act: CountedAct;
  readonly firstMs: number;
  lastMs: number;
  requests: number;
  rows: number;
  /** Undefined once there were several. */
  address: string | undefined;
}

export function createTally(nowMs: () => number = Date.now): Tally {
  let counters = new Map<string, Counter>();

  function findCounter(actor: Actor, act: CountedAct): Counter {
    const common = [actor.caller, actor.token, actor.user, actor.door, act.action, act.code];
    const own = JSON.stringify([...common, act.name, act.byAddress ? actor.address : undefined]);
    const isTold = counters.has(own) || counters.size < mostEntries;
    const key = isTold ? own : JSON.stringify(common);
    const known = counters.get(key);
    if (known !== undefined) return known;
    const told = isTold ? act : { ...act, name: undefined };
    const made = { actor, act: told, firstMs: nowMs(), lastMs: 0, requests: 0, rows: 0, address: actor.address };
    counters.set(key, made);
    return made;
  }

  return {
    count(actor, act) {
      const counter = findCounter(actor, act);
      counter.lastMs = nowMs();
      counter.requests += 1;
      counter.rows += act.rows;
      if (counter.address !== actor.address) counter.address = undefined;
    },
    take() {
      const taken = [...counters.values()];
      counters = new Map();
      return taken.map(asEntry);
    },
  };
}

function asEntry({ actor, act, firstMs, lastMs, requests, rows, address }: Counter): Omit<AuditEntry, 'id'> {
  const { action, name, code } = act;
  const counted = `${requests} ${requests === 1 ? 'request' : 'requests'}`;
  return {
    at: new Date(firstMs).toISOString(),
    action,
    names: name === undefined ? [] : shortNames([name]),
    outcome: code === undefined ? 'done' : isRefusal(code) ? 'refused' : 'failed',
    code: code ?? null,
    what: code === undefined ? `${rows} rows in ${counted}` : counted,
    caller: actor.caller,
    token: actor.token ?? null,
    user: actor.user ?? null,
    door: actor.door,
    address: address ?? null,
    request_id: requests === 1 ? (actor.requestId ?? null) : null,
    trace_id: requests === 1 ? (actor.traceId ?? null) : null,
    ms: null,
    requests,
    until: new Date(lastMs).toISOString(),
    rows: code === undefined ? rows : null,
    details: {},
  };
}
