/** What is applied with its online store, opened without a server. */
import type { Config } from '../config.ts';
import type { History } from '../offline/history.ts';
import type { OnlineStore } from '../online/store.ts';
import type { RegistryDocument } from '../registry/document.ts';
import { loadConfig } from '../registry/load.ts';
import { openState } from '../registry/state.ts';
import { type AuditHere, withAudit } from './audit-here.ts';
import type { Context } from './context.ts';
import { withApplied } from './local.ts';

export interface OnlineParts {
  readonly config: Config;
  readonly registry: RegistryDocument;
  readonly history: History;
  readonly store: OnlineStore;
}

/** Runs `work` over what is applied and the store that its config names; beside a server too. */
export async function withOnlineStore<T>(context: Context, work: (parts: OnlineParts) => Promise<T>): Promise<T> {
  return await withApplied(context, (registry, history, store, config) => work({ config, registry, history, store: store() }));
}

/** The same for a command that writes, and tells the audit log of it: FAILED_PRECONDITION while a server or another writer holds the state. */
export async function withOnlineWriter<T>(
  context: Context,
  purpose: string,
  work: (parts: OnlineParts, audit: AuditHere) => Promise<T>,
): Promise<T> {
  const config = await loadConfig(context.directory, context.environment);
  const state = await openState(config.state, { purpose });
  try {
    return await withAudit(context, config, state, (audit) => withOnlineStore(context, (parts) => work(parts, audit)));
  } finally {
    await state.close();
  }
}
