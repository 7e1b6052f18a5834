/** Pushes, as the audit log tells it: counted, since there may be thousands a second. */
import type { Acting } from '../../audit/acting.ts';
import type { PushRouting } from '../push-routing.ts';

export function auditPushes(acting: Acting, pushes: PushRouting): PushRouting {
  return {
    pushRows: (source, rows, options) => acting.count('push', source, () => pushes.pushRows(source, rows, options)),
    writeToOnlineStore: (view, rows, signal) =>
      acting.count('write_online', view, () => pushes.writeToOnlineStore(view, rows, signal)),
  };
}
