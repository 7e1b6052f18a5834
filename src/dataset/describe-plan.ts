/** What a plan says of a dataset: the roles of its columns, the definitions behind them, and the state of all that it read. */
import type { Field } from '../arrow/schema.ts';
import { didYouMean, FeatureStoreError } from '../errors.ts';
import type { RetrievalPlan } from '../offline/plan.ts';
import type { Projection } from '../offline/projection/store.ts';
import type { FileState } from '../offline/source-state.ts';
import { outputColumnNames } from '../registry/resolve.ts';
import { type ColumnRole, type DatasetRecipe, rowColumn, type SourceRecord } from './manifest.ts';

export interface DescribedColumn {
  readonly field: Field;
  readonly role: ColumnRole;
  /** `view:feature`. */
  readonly feature: string | null;
}

/** The columns of the files with what each is for; INVALID_ARGUMENT for a label that the frame has not, or that is a key or the time. */
export function describeColumns(
  plan: RetrievalPlan,
  fields: readonly Field[],
  labels: readonly string[],
): readonly DescribedColumn[] {
  const keys = new Set(plan.lookups.flatMap((lookup) => lookup.keys.map((key) => key.column)));
  const time = plan.time.kind === 'column' ? plan.time.name : undefined;
  const features = new Map<string, { role: ColumnRole; feature: string }>();
  for (const output of describeOutputs(plan)) {
    const [value, ...statuses] = outputColumnNames(output.name, plan.statuses);
    features.set(value as string, { role: 'feature', feature: `${output.view}:${output.feature}` });
    for (const status of statuses) features.set(status, { role: 'status', feature: `${output.view}:${output.feature}` });
  }
  const own = fields.map((field) => field.name).filter((name) => !features.has(name) && name !== rowColumn);
  for (const label of labels) {
    const what = keys.has(label) ? 'is a join key' : label === time ? 'is the time of each row' : undefined;
    if (what !== undefined) throw refuseLabel(label, `"${label}" ${what}, and no label`);
    if (!own.includes(label)) throw refuseLabel(label, `the frame has no column "${label}"${didYouMean(label, own)}`);
  }
  return fields.map((field) => {
    const known = features.get(field.name);
    if (known !== undefined) return { field, ...known };
    const { name } = field;
    const frameRole = labels.includes(name) ? 'label' : keys.has(name) ? 'key' : name === time ? 'timestamp' : 'frame';
    return { field, role: name === rowColumn ? 'row' : frameRole, feature: null };
  });
}

function refuseLabel(label: string, what: string): FeatureStoreError {
  return new FeatureStoreError('INVALID_ARGUMENT', `labels: ${what}`, { details: { label } });
}

/** The features that come out, in their order, each with the hash of its definition. */
export function describeOutputs(plan: RetrievalPlan): DatasetRecipe['definitions']['features'] {
  return plan.outputs.map((output) => {
    if (output.kind === 'feature') {
      const found = plan.features[output.feature];
      const view = plan.lookups[found?.lookup ?? -1]?.view.name ?? '';
      return { name: output.name, view, feature: found?.feature.name ?? '', hash: found?.feature.hash ?? '' };
    }
    const view = plan.transforms[output.transform]?.view;
    return {
      name: output.name,
      view: view?.name ?? '',
      feature: view?.features[output.output]?.name ?? '',
      hash: view?.transform.hash ?? '',
    };
  });
}

export function describeTransforms(plan: RetrievalPlan): DatasetRecipe['definitions']['transforms'] {
  return plan.transforms.map(({ view }) => ({ view: view.name, hash: view.transform.hash }));
}

/** The state of each source, once, with the views that read it. */
export function describeSources(plan: RetrievalPlan, projections: readonly Projection[]): readonly SourceRecord[] {
  const records = new Map<string, SourceRecord>();
  for (const [index, { source, view }] of plan.lookups.entries()) {
    const known = records.get(source.name);
    if (known !== undefined) {
      if (!known.views.includes(view.name)) known.views.push(view.name);
      continue;
    }
    const { hash, files, archived, erased } = (projections[index] as Projection).state;
    records.set(source.name, {
      source: source.name,
      views: [view.name],
      hash,
      files: files.map(describeFile),
      archived: archived.map(describeFile),
      erased: erased ?? null,
    });
  }
  return [...records.values()];
}

function describeFile({ path, bytes, modifiedNs, footer }: FileState): SourceRecord['files'][number] {
  return { path, bytes, modified_ns: modifiedNs, footer: footer ?? null };
}
