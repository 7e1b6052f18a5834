/** The audit log as a command without a server writes it. */
import { type Acting, actingAs } from '../audit/acting.ts';
import { type Actor, localActor } from '../audit/actor.ts';
import { type Audit, openAudit, type WriterState } from '../audit/audit.ts';
import type { Config } from '../config.ts';
import type { Context } from './context.ts';

export interface AuditHere extends Acting {
  readonly actor: Actor;
  readonly done: Audit['done'];
}

/** Runs `work` as whoever runs this process; what cannot be written of what was done is said. */
export async function withAudit<T>(
  context: Context,
  config: Config,
  state: WriterState,
  work: (audit: AuditHere) => Promise<T>,
): Promise<T> {
  const say = ({ error }: { readonly error?: unknown }, message: string) => context.say(`${message}: ${error}`);
  const audit = await openAudit(config, state, { debug() {}, info() {}, warn: say, error: say });
  const actor = localActor();
  try {
    return await work({ ...actingAs(audit, actor), actor, done: audit.done });
  } finally {
    await audit.close();
  }
}
