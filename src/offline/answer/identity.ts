/** The identity of a training set (section 10): same identity, same bytes. */
import { createHash } from 'node:crypto';
import type { RetrievalPlan } from '../plan.ts';
import type { Projection } from '../projection/store.ts';

export interface IdentityParts {
  readonly plan: RetrievalPlan;
  readonly projections: readonly Projection[];
  /** sha256 of the entity rows as they were sent. */
  readonly frame: string;
  /** Product and engine. */
  readonly versions: string;
}

/** sha256 over the definitions used, the entity rows, the options, the versions, and the state of every source read. */
export function trainingSetIdentity({ plan, projections, frame, versions }: IdentityParts): string {
  const time = plan.time.kind === 'at' ? ['at', String(plan.time.us)] : ['column', plan.time.name];
  const lookups = plan.lookups.map((lookup, index) => [
    lookup.label,
    lookup.view.name,
    lookup.keys.map((key) => [key.joinKey, key.type, key.column]),
    lookup.asKnown,
    String(lookup.delayUs),
    String(lookup.ttlUs),
    projections[index]?.state.hash,
  ]);
  const features = plan.features.map(({ lookup, feature }) => [lookup, feature.hash, feature.default ?? null]);
  const transforms = plan.transforms.map(({ view, inputs }) => [view.transform.hash, inputs, view.inputs, view.request]);
  const outputs = plan.outputs.map((output) => {
    if (output.kind === 'feature') return [output.name, output.feature];
    const computed = plan.transforms[output.transform]?.view.features[output.output];
    return [output.name, output.transform, computed?.name, computed?.type];
  });
  const parts = {
    lookups,
    features,
    transforms,
    outputs,
    time,
    timezone: plan.timezone ?? null,
    statuses: plan.statuses,
    frame,
    versions,
  };
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
