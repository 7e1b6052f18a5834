/** The audit log as somebody acts under it. */
import { asFeatureStoreError } from '../errors.ts';
import type { Actor } from './actor.ts';
import type { Act, Audit } from './audit.ts';
import type { AuditAction } from './entry.ts';

export interface Acting {
  /** Whether nobody asked: then what changes nothing is not told. */
  readonly isUnasked: boolean;
  act<T>(act: Act<T>, work: (changed: () => void) => Promise<T>): Promise<T>;
  /** Does one of many, which are counted. */
  count<T extends { readonly rows: number }>(action: AuditAction, name: string, work: () => Promise<T>): Promise<T>;
}

export function actingAs(audit: Pick<Audit, 'act' | 'count'>, actor: Actor): Acting {
  return {
    isUnasked: actor.door === 'server',
    act: (act, work) => audit.act(actor, act, work),
    async count(action, name, work) {
      const counted = (rows: number, error?: unknown) => {
        const code = error === undefined ? undefined : asFeatureStoreError(error).code;
        audit.count(actor, { action, name, rows, code, byAddress: false });
      };
      try {
        const report = await work();
        counted(report.rows);
        return report;
      } catch (error) {
        counted(0, error);
        throw error;
      }
    },
  };
}

/** Counts what was refused at a door, where its error says that it was for want of a token, a scope or a view. */
export function countRefusal(audit: Pick<Audit, 'count'>, actor: Actor, action: AuditAction, error: unknown): void {
  const { code, details } = asFeatureStoreError(error);
  if (!isDenial(error)) return;
  const { token, view } = details;
  const known = actor.token === undefined && typeof token === 'string' ? { ...actor, token } : actor;
  audit.count(known, { action, name: typeof view === 'string' ? view : undefined, rows: 0, code, byAddress: true });
}

export function isDenial(error: unknown): boolean {
  return ['PERMISSION_DENIED', 'UNAUTHENTICATED'].includes(asFeatureStoreError(error).code);
}
