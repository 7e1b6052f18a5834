/** What a feature is made of, and which of its sources cannot say what was known when. */
import type { LookupPlan, RetrievalPlan } from '../../offline/plan.ts';
import type { SourceDocument } from '../../registry/document.ts';
import type { NotExamined } from './report.ts';

export interface DescribedFeature {
  readonly view: string;
  readonly feature: string;
  /** Sources that say of no row when it became known. */
  readonly unknown: readonly NotExamined[];
}

/** View and feature of an output of a plan, and those of its sources that cannot be audited for hindsight. */
export function describeSources(plan: RetrievalPlan, at: number): DescribedFeature {
  const output = plan.outputs[at] as RetrievalPlan['outputs'][number];
  const transform =
    output.kind === 'computed' ? (plan.transforms[output.transform] as RetrievalPlan['transforms'][number]) : undefined;
  const read = transform === undefined ? [(output as { readonly feature: number }).feature] : transform.inputs;
  const lookups = read.map((position) => plan.lookups[plan.features[position]?.lookup ?? -1] as LookupPlan);
  const unknown = describeUnknown([...new Set(lookups.map(({ source }) => source))]);
  if (transform !== undefined && output.kind === 'computed') {
    return { view: transform.view.name, feature: transform.view.features[output.output]?.name as string, unknown };
  }
  const { feature, lookup } = plan.features[read[0] as number] as RetrievalPlan['features'][number];
  return { view: plan.lookups[lookup]?.view.name as string, feature: feature.name, unknown };
}

/** Each source that cannot be audited for hindsight, and why. */
export function describeUnknown(sources: readonly SourceDocument[]): readonly NotExamined[] {
  return sources.flatMap((source) => {
    const why = whyUnknown(source);
    if (why === undefined) return [];
    return [{ what: 'hindsight', source: source.name, text: `${why}: it cannot be audited for hindsight` }];
  });
}

/** Neither tables nor the archive of a stream keep when an event arrived; that it came too late for serving is a cause of parity. */
function whyUnknown({ kind, name, createdTimestamp }: SourceDocument): string | undefined {
  if (kind === 'event') return `source "${name}" does not say when its events arrived`;
  return createdTimestamp === undefined ? `source "${name}" has no created timestamp` : undefined;
}
