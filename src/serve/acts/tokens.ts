/** Tokens made and revoked, as the audit log tells it: by their ids, and never by their text. */
import type { ShownToken, Tokens } from '../../access/tokens.ts';
import type { Acting } from '../../audit/acting.ts';

export function auditTokens(acting: Acting, tokens: Tokens): Tokens {
  return {
    ...tokens,
    create: (request) =>
      acting.act(
        {
          action: 'create_token',
          names: [],
          tell: ({ token: _, ...made }) => ({ what: describeToken(made), names: [made.id], details: made }),
        },
        () => tokens.create(request),
      ),
    revoke: (id) =>
      acting.act(
        {
          action: 'revoke_token',
          // Whoever gives the whole text by mistake shall not find it here.
          names: /^[0-9a-f]{12}$/.test(id) ? [id] : [],
          tell: (revoked) => ({ what: describeToken(revoked), names: [revoked.id], details: revoked }),
        },
        () => tokens.revoke(id),
      ),
  };
}

function describeToken({ scopes, description, views, project, expiresAt }: ShownToken): string {
  return [
    scopes.join(', '),
    ...(description ? [`for "${description}"`] : []),
    ...(views === undefined ? [] : [`views ${views.join(', ')}`]),
    ...(project === undefined ? [] : [`project ${project}`]),
    ...(expiresAt === undefined ? [] : [`until ${expiresAt}`]),
  ].join('; ');
}
