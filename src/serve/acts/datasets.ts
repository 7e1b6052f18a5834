/** Saved datasets made, tagged and deleted, as the audit log tells it. */
import type { Acting } from '../../audit/acting.ts';
import { shortNames } from '../../audit/new-entry.ts';
import { formatReference, parseReference } from '../../dataset/name.ts';
import { nameModel } from '../../dataset/shown.ts';
import { nameProblem } from '../../definitions/name.ts';
import type { ChangingDatasets, DatasetActions } from '../dataset-actions.ts';

type Members = Readonly<Record<string, unknown>>;

/** Whom the views of a dataset are not for is told of at the door, where refusals are counted: `refuse` fails with it before an act begins. */
export function auditDatasets(acting: Acting, datasets: ChangingDatasets & Pick<DatasetActions, 'refuse'>): ChangingDatasets {
  return {
    async create(input, caller, signal, onProgress) {
      await datasets.refuse({ input }, caller);
      const { name, features, service } = input as Members;
      return await acting.act(
        {
          action: 'create_dataset',
          names: typeof name === 'string' && nameProblem(name) === undefined ? [name] : [],
          details: { features: shortTexts(features), service: shortText(service) },
          tell: ({ created, rows, splits, id, recipe, ...made }) => ({
            what: created
              ? `${formatReference(made)}: ${rows} rows`
              : `nothing new, the newest is the same: ${formatReference(made)}`,
            names: [formatReference(made)],
            details: {
              ...{ created, id, rows, features: recipe.features, service: recipe.service, views: recipe.views },
              splits: Object.fromEntries(splits.map((split) => [split.name, split.rows])),
            },
          }),
        },
        () => datasets.create(input, caller, signal, onProgress),
      );
    },
    async tag(input, caller) {
      const { dataset, model, version, remove } = input as Members;
      await datasets.refuse({ dataset }, caller);
      const details = { model: shortText(model), version: shortText(version), remove: remove === true };
      return await acting.act(
        {
          ...{ action: 'tag_dataset', names: namesOf(dataset), details },
          tell: (shown) => ({
            what: `${formatReference(shown)}: ${shown.tags.map(nameModel).join(', ') || 'no model'}`,
            names: [formatReference(shown)],
            details: { ...details, models: shown.tags.map(nameModel) },
          }),
        },
        () => datasets.tag(input, caller),
      );
    },
    async remove(dataset, force, caller) {
      await datasets.refuse({ dataset }, caller);
      return await acting.act(
        {
          ...{ action: 'delete_dataset', names: namesOf(dataset), details: { force } },
          tell: ({ deleted }) => ({
            what: `deleted ${deleted}${force ? ' (forced)' : ''}`,
            names: [deleted],
            details: { force },
          }),
        },
        () => datasets.remove(dataset, force, caller),
      );
    },
  };
}

/** Rows of a dataset written to a file by a command. */
export async function auditExport<T extends { readonly dataset: string; readonly rows: number }>(
  acting: Acting,
  { dataset, split, out }: { readonly dataset: string; readonly split: string | undefined; readonly out: string },
  work: () => Promise<T>,
): Promise<T> {
  const details = { split: split ?? null, out };
  const tell = ({ dataset: exported, rows }: T) => ({
    ...{ what: `${rows} rows of ${exported} to ${out}`, names: [exported], details: { ...details, rows } },
  });
  return await acting.act({ action: 'export_dataset', names: namesOf(dataset), details, tell }, work);
}

/** Whatever somebody sends, before it is known to be right, is kept no longer than a line that can be read. */
function shortText(value: unknown): string | null {
  return typeof value === 'string' ? (shortNames([value])[0] as string) : null;
}

function shortTexts(value: unknown): readonly string[] | null {
  return Array.isArray(value) ? shortNames(value.filter((one) => typeof one === 'string')) : null;
}

/** Whatever somebody sends is not kept for a name. */
function namesOf(dataset: unknown): readonly string[] {
  if (typeof dataset !== 'string') return [];
  try {
    const { name, version } = parseReference(dataset);
    return [version === undefined ? name : formatReference({ name, version })];
  } catch {
    return [];
  }
}
