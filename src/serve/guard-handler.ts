/** Stands before the Flight handler: each method, and each action, names the scope that its caller's token must have. */
import { type AccessControl, requireScope } from '../access/caller.ts';
import type { RequiredScope } from '../access/scope.ts';
import { type AuditAction, auditActions } from '../audit/entry.ts';
import type { CallContext, FlightDescriptor, FlightHandler } from '../flight/protocol.ts';
import { datasetActionScopes } from './dataset-flight.ts';
import { isPush } from './push-frame.ts';

/** An action that is not named here needs `admin`. */
const actionScopes: Readonly<Record<string, RequiredScope>> = {
  server_info: 'any',
  list: 'any',
  describe: 'any',
  lineage: 'any',
  cancel: 'read-offline',
  CancelFlightInfo: 'read-offline',
  materialize: 'write',
  run_sql: 'write',
  validate: 'read-offline',
  streams: 'any',
  set_aside: 'read-offline',
  ...datasetActionScopes,
};

/** Is told of an act that failed at this door or behind it. */
export type OnRefused = (context: CallContext, action: AuditAction, error: unknown) => void;

/** The same handler for callers whose token is known and holds the scope; others get UNAUTHENTICATED or PERMISSION_DENIED. */
export function guardHandler(handler: FlightHandler, access: AccessControl, refused: OnRefused): FlightHandler {
  const admit = ({ token }: CallContext, scope: RequiredScope) => requireScope(access.authenticate(token), scope);
  const scopeOf = ({ type }: FlightDescriptor): RequiredScope => (type === 'path' ? 'any' : 'read-offline');
  async function* tellRefused(context: CallContext, action: AuditAction, work: () => AsyncIterable<Uint8Array>) {
    try {
      yield* work();
    } catch (error) {
      refused(context, action, error);
      throw error;
    }
  }
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
      const isAct = isPush(upload.descriptor);
      const work = () => {
        admit(context, isAct ? 'write' : 'read-offline');
        return handler.doPut(upload, context);
      };
      yield* isAct ? tellRefused(context, 'push', work) : work();
    },
    async *doExchange(upload, context) {
      admit(context, 'read-offline');
      yield* handler.doExchange(upload, context);
    },
    async *doAction(type, body, context) {
      const work = () => {
        admit(context, Object.hasOwn(actionScopes, type) ? (actionScopes[type] as RequiredScope) : 'admin');
        return handler.doAction(type, body, context);
      };
      yield* isAuditAction(type) ? tellRefused(context, type, work) : work();
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

/** Actions have the names that the audit log has for them. */
function isAuditAction(type: string): type is AuditAction {
  return (auditActions as readonly string[]).includes(type);
}
