/**
 * Erasures, as the audit log tells it: of which kind of entity, and what was removed. The entity's keys are not in it, nor a hash of them, as
 * a hash of a number is found by trying all numbers. Who may list erasures finds which it was by its instant, until it is lifted.
 */
import type { Acting } from '../../audit/acting.ts';
import type { ErasureReport, Erasures } from '../../materialize/erase.ts';
import type { RegistryDocument } from '../../registry/document.ts';

export function auditErasures(acting: Acting, erasures: Erasures, registry: () => Pick<RegistryDocument, 'entities'>): Erasures {
  // Somebody may have given a key in its place.
  const known = (entity: string) => (registry().entities.some(({ name }) => name === entity) ? [entity] : []);
  return {
    ...erasures,
    erase: (entity, keys, signal) =>
      acting.act({ action: 'erase', names: known(entity), tell: tellErasure }, () => erasures.erase(entity, keys, signal)),
    lift: (entity, keys, signal) =>
      acting.act(
        {
          action: 'lift_erasure',
          names: known(entity),
          tell: ({ lifted, erased_at }) => ({
            what: lifted ? `lifted, erased since ${erased_at ?? 'an unknown instant'}` : 'nothing was erased',
            details: { lifted, erased_at },
          }),
        },
        () => erasures.lift(entity, keys, signal),
      ),
  };
}

function tellErasure({ erased_at, online, archives, feature_log }: ErasureReport) {
  const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);
  const archived = sum(archives.map(({ rows }) => rows));
  return {
    what: `erased_at ${erased_at}: ${sum(Object.values(online.rows))} rows online, ${archived} archived, ${feature_log.rows} in the feature log removed`,
    details: { erased_at, online, archives, feature_log },
  };
}
