/** Who does something, and through which door they came. */
import { userInfo } from 'node:os';
import type { Door } from './entry.ts';

/** Passes between threads: plain values only. */
export interface Actor {
  /** The token's description or id, `anonymous` without tokens; `local`, `scheduler`, `server`. */
  readonly caller: string;
  readonly token?: string;
  readonly user?: string;
  readonly door: Door;
  /** Of the other end of the connection, without its port. */
  readonly address?: string;
  readonly requestId?: string;
  readonly traceId?: string;
}

/** What a server does at the times that its config says. */
export const scheduler: Actor = Object.freeze({ caller: 'scheduler', door: 'server' });

/** What a server does because it has to be done. */
export const serverItself: Actor = Object.freeze({ caller: 'server', door: 'server' });

/** Whoever runs this process. */
export function localActor(): Actor {
  return { caller: 'local', user: userName(), door: 'cli' };
}

/** The trace of a W3C `traceparent`; undefined where there is none. */
export function traceIdOf(traceparent: string | undefined): string | undefined {
  return /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(traceparent ?? '')?.[1];
}

/** In a container a user may have a number and no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
