/** Stands before the Flight handler: each method, and each action, names the scope that its caller's token must have. */
import { type AccessControl, requireScope } from '../access/caller.ts';
import type { RequiredScope } from '../access/scope.ts';
import type { CallContext, FlightDescriptor, FlightHandler } from '../flight/protocol.ts';

/** An action that is not named here needs `admin`. */
const actionScopes: Readonly<Record<string, RequiredScope>> = {
  server_info: 'any',
  list: 'any',
  describe: 'any',
  cancel: 'read-offline',
  CancelFlightInfo: 'read-offline',
  materialize: 'write',
};

/** The same handler for callers whose token is known and holds the scope; others get UNAUTHENTICATED or PERMISSION_DENIED. */
export function guardHandler(handler: FlightHandler, access: AccessControl): FlightHandler {
  const admit = ({ token }: CallContext, scope: RequiredScope) => requireScope(access.authenticate(token), scope);
  const scopeOf = ({ type }: FlightDescriptor): RequiredScope => (type === 'path' ? 'any' : 'read-offline');
  return {
    async *listFlights(criteria, context) {
      admit(context, 'any');
      yield* handler.listFlights(criteria, context);
    },
    async getFlightInfo(descriptor, context) {
      admit(context, scopeOf(descriptor));
      return await handler.getFlightInfo(descriptor, context);
    },
    async pollFlightInfo(descriptor, context) {
      admit(context, scopeOf(descriptor));
      return await handler.pollFlightInfo(descriptor, context);
    },
    async getSchema(descriptor, context) {
      admit(context, scopeOf(descriptor));
      return await handler.getSchema(descriptor, context);
    },
    async *doGet(ticket, context) {
      admit(context, 'read-offline');
      yield* handler.doGet(ticket, context);
    },
    async *doPut(upload, context) {
      admit(context, 'read-offline');
      yield* handler.doPut(upload, context);
    },
    async *doExchange(upload, context) {
      admit(context, 'read-offline');
      yield* handler.doExchange(upload, context);
    },
    async *doAction(type, body, context) {
      admit(context, Object.hasOwn(actionScopes, type) ? (actionScopes[type] as RequiredScope) : 'admin');
      yield* handler.doAction(type, body, context);
    },
    listActions(context) {
      admit(context, 'any');
      return handler.listActions(context);
    },
    async handshake(payload, context) {
      admit(context, 'any');
      return await handler.handshake(payload, context);
    },
  };
}
