/** Who makes a Flight call, as the audit log has them. */
import { type AccessControl, nobody } from '../access/caller.ts';
import { type Actor, traceIdOf } from '../audit/actor.ts';
import type { CallContext } from '../flight/protocol.ts';

/** Also of a call without a token that is known: then nobody in particular. */
export function flightActor({ peer, token: sent, headers }: CallContext, access: AccessControl): Actor {
  const { name, token } = identify(access, sent);
  const requestId = headers.get('x-request-id');
  return {
    ...{ caller: name, token, door: 'flight', address: peer.replace(/:\d+$/, '') },
    requestId: requestId !== undefined && /^[\x21-\x7e]{1,128}$/.test(requestId) ? requestId : undefined,
    traceId: traceIdOf(headers.get('traceparent')),
  };
}

function identify(access: AccessControl, token: string | undefined) {
  try {
    return access.authenticate(token);
  } catch {
    return nobody;
  }
}
