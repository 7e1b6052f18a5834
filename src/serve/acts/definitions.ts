/** Applying, as the audit log tells it: from which version to which, and what changed. */
import type { Acting } from '../../audit/acting.ts';
import type { Told } from '../../audit/audit.ts';
import type { PlannedChange } from '../../registry/diff.ts';
import type { Definitions } from '../definitions.ts';

export interface Applied {
  readonly version: number;
  readonly changes: readonly PlannedChange[];
}

const marks = { add: '+', change: '~', remove: '-' } as const;
/** A line names so many; the entry's details have more of them. */
const mostTold = 8;
const mostDetailed = 100;

export function auditDefinitions(acting: Acting, definitions: Pick<Definitions, 'plan' | 'apply'>): typeof definitions {
  return {
    ...definitions,
    apply: (onProgress, { force = false } = {}) =>
      auditApply(acting, force, async () => (await definitions.apply(onProgress, { force })) as Applied),
  };
}

export async function auditApply<T extends Applied>(acting: Acting, force: boolean, work: () => Promise<T>): Promise<T> {
  return await acting.act(
    { action: 'apply', names: [], details: { force }, tell: (applied) => tellApplied(applied, force) },
    work,
  );
}

function tellApplied({ version, changes }: Applied, force: boolean): Told {
  const before = changes.length === 0 ? version : version - 1;
  const fills = changes.flatMap((change) => change.fills ?? []).map(({ view }) => view);
  return {
    what: `${changes.length === 0 ? `version ${version}, no changes` : `version ${before} -> ${version}: ${listChanges(changes)}`}${force ? ' (forced)' : ''}`,
    names: changes.map(({ name }) => name),
    details: {
      force,
      version_before: before,
      version_after: version,
      changes: changes.slice(0, mostDetailed).map(({ action, kind, name, fields }) => ({
        ...{ action, kind, name },
        ...(action === 'change' ? { fields: fields.slice(0, mostDetailed).map(({ path }) => path) } : {}),
      })),
      ...(fills.length === 0 ? {} : { filled: fills }),
    },
  };
}

function listChanges(changes: readonly PlannedChange[]): string {
  const told = changes.slice(0, mostTold).map(({ action, kind, name }) => `${marks[action]} ${kind} ${name}`);
  const more = changes.length - told.length;
  return `${told.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
