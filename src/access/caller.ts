/** Who calls, by the token that came with the call, and what may be refused to them. */
import { FeatureStoreError } from '../errors.ts';
import { holdsScope, type RequiredScope, type Scope } from './scope.ts';
import { findToken, readerOf, type TokenRecord } from './token-record.ts';

export interface Caller {
  /** The id of the token; undefined where the server has none and everybody may do everything. */
  readonly token: string | undefined;
  /** Who that is to people: what the token was made for. */
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** undefined: all. */
  readonly views: readonly string[] | undefined;
}

export interface AccessControl {
  /** UNAUTHENTICATED unless the token is one of the server's and stands today, or the server has no tokens at all. */
  authenticate(token: string | undefined): Caller;
}

/** Who calls what is public: nobody in particular, who may do nothing else. */
export const nobody: Caller = Object.freeze({ token: undefined, name: 'nobody', scopes: [], views: [] });

const everybody: Caller = Object.freeze({
  token: undefined,
  name: readerOf([], undefined),
  scopes: ['admin'] as const,
  views: undefined,
});

/** Decides by the records as they are at each call. */
export function createAccessControl(
  project: string,
  records: () => readonly TokenRecord[],
  nowMs: () => number = Date.now,
): AccessControl {
  return {
    authenticate(token) {
      const known = records();
      if (known.length === 0) return everybody;
      if (token === undefined) throw refused('this server answers only with a token: send "authorization: Bearer …"');
      const record = findToken(known, token);
      if (record === undefined) throw refused('this token is none of this server: ask who runs it for one');
      if (record.revokedAt !== undefined) throw refused(`token ${record.id} was revoked`, record.id);
      if (record.expiresAt !== undefined && Date.parse(record.expiresAt) <= nowMs()) {
        throw refused(`token ${record.id} expired at ${record.expiresAt}`, record.id);
      }
      if (record.project !== undefined && record.project !== project) {
        throw refused(`token ${record.id} is for project "${record.project}", and this server is of "${project}"`, record.id);
      }
      return { token: record.id, name: readerOf([record], record.id), scopes: record.scopes, views: record.views };
    },
  };
}

/** PERMISSION_DENIED where the caller's token does not hold the scope. */
export function requireScope(caller: Caller, scope: RequiredScope): void {
  if (holdsScope(caller.scopes, scope)) return;
  throw new FeatureStoreError(
    'PERMISSION_DENIED',
    `this needs the scope "${scope}", and token ${caller.token} has ${caller.scopes.map((held) => `"${held}"`).join(', ')}`,
    { details: { scope, scopes: caller.scopes, token: caller.token } },
  );
}

/** PERMISSION_DENIED where the caller's token is for certain views and one of these is none of them. */
export function requireViews(caller: Caller, views: Iterable<string>): void {
  if (caller.views === undefined) return;
  for (const view of views) {
    if (!caller.views.includes(view)) throw tokenIsNotFor(caller, caller.views, `view "${view}"`, view);
  }
}

/** PERMISSION_DENIED of a token that is for certain views. */
export function tokenIsNotFor({ token }: Caller, views: readonly string[], what: string, view?: string): FeatureStoreError {
  const held = views.map((one) => `"${one}"`).join(', ');
  return new FeatureStoreError('PERMISSION_DENIED', `token ${token} is not for ${what} but for ${held}`, {
    details: { ...(view !== undefined && { view }), views, token },
  });
}

function refused(message: string, id?: string): FeatureStoreError {
  return new FeatureStoreError('UNAUTHENTICATED', message, { details: id === undefined ? {} : { token: id } });
}
