/** Saved datasets as a caller may see them: those that read no view which the token is not for. */
import { type Caller, requireViews } from '../access/caller.ts';
import type { Datasets } from '../dataset/datasets.ts';
import type { Dataset, DatasetDoors } from '../dataset/doors.ts';

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

  return {
    locate: doors.locate,
    find: async (reference) => authorize(await doors.find(reference)),
    async open(reference) {
      const dataset = await doors.open(reference);
      try {
        return authorize(dataset);
      } catch (error) {
        dataset.release();
        throw error;
      }
    },
    reading: (reference, work) => doors.reading(reference, (dataset) => work(authorize(dataset))),
  };
}
