/** Saved datasets as a caller may see them: those that read no view which the token is not for. */
import { type Caller, requireViews, tokenIsNotFor } from '../access/caller.ts';
import type { Datasets } from '../dataset/datasets.ts';
import type { Dataset, DatasetDoors } from '../dataset/doors.ts';
import { formatReference } from '../dataset/name.ts';
import { asFeatureStoreError } from '../errors.ts';

/** Whether a caller may know of what reads these views; views that cannot be told are for those alone who may read every view. */
export function mayRead({ views }: Caller, needed: readonly string[] | undefined): boolean {
  return views === undefined || (needed?.every((view) => views.includes(view)) ?? false);
}

/** The doors for one caller: PERMISSION_DENIED for what reads other views, and no word of these in what is not found. */
export function datasetsFor(datasets: Pick<Datasets, 'seenBy'>, caller: Caller): DatasetDoors {
  const doors = datasets.seenBy(caller.views === undefined ? undefined : (views) => mayRead(caller, views));

  function authorize<D extends Dataset>(dataset: D): D {
    requireViews(caller, dataset.manifest.recipe.views);
    return dataset;
  }

  /** What is damaged may have been made of any view: what is wrong with it is for those who may read every one. */
  async function find(reference: string): Promise<Dataset> {
    const one = await doors.locate(reference);
    try {
      return authorize(await doors.find(formatReference(one)));
    } catch (error) {
      const { code } = asFeatureStoreError(error);
      if (caller.views === undefined || (code !== 'DATA_LOSS' && code !== 'FAILED_PRECONDITION')) throw error;
      throw tokenIsNotFor(caller, caller.views, `all that dataset ${formatReference(one)} may be made of`);
    }
  }

  /** The version that a reference means, which the caller may read. */
  async function known(reference: string): Promise<string> {
    return caller.views === undefined ? reference : formatReference((await find(reference)).manifest);
  }

  return {
    locate: doors.locate,
    find,
    async open(reference) {
      const dataset = await doors.open(await known(reference));
      try {
        return authorize(dataset);
      } catch (error) {
        dataset.release();
        throw error;
      }
    },
    reading: async (reference, work) => await doors.reading(await known(reference), (dataset) => work(authorize(dataset))),
  };
}
