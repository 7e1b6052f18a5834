/** What a token may do. */

export const scopes = ['read-online', 'read-offline', 'write', 'admin'] as const;

export type Scope = (typeof scopes)[number];

/** What a door asks for: a scope, `any` for whoever is known, `public` for everybody. */
export type RequiredScope = Scope | 'any' | 'public';

/** Whether scopes that were granted hold the one asked for; `admin` holds all. */
export function holdsScope(granted: readonly Scope[], wanted: RequiredScope): boolean {
  return wanted === 'public' || wanted === 'any' || granted.includes('admin') || granted.includes(wanted);
}
