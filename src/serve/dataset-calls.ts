/** Saved datasets for the main thread: each call carries who asks. */
import type { Caller } from '../access/caller.ts';
import type { DatasetActions } from './dataset-actions.ts';

export type DatasetCall =
  | 'create_dataset'
  | 'list_datasets'
  | 'describe_dataset'
  | 'dataset_lineage'
  | 'diff_datasets'
  | 'tag_dataset'
  | 'reproduce_dataset'
  | 'delete_dataset';

type Asked<T> = T & { readonly caller: Caller };
type OnProgress = (progress: unknown) => void;

export function answerDatasetCalls(actions: DatasetActions) {
  return {
    create_dataset: ({ caller, input }: Asked<{ input: unknown }>, signal: AbortSignal, onProgress: OnProgress) =>
      actions.create(input, caller, signal, onProgress),
    list_datasets: ({ caller, name }: Asked<{ name?: string }>) => actions.list(name, caller),
    describe_dataset: ({ caller, dataset }: Asked<{ dataset: string }>) => actions.describe(dataset, caller),
    dataset_lineage: ({ caller }: Asked<object>) => actions.lineage(caller),
    diff_datasets: ({ caller, from, to }: Asked<{ from: string; to: string }>) => actions.diff(from, to, caller),
    tag_dataset: ({ caller, input }: Asked<{ input: unknown }>) => actions.tag(input, caller),
    reproduce_dataset: ({ caller, dataset }: Asked<{ dataset: string }>, signal: AbortSignal, onProgress: OnProgress) =>
      actions.reproduce(dataset, caller, signal, onProgress),
    delete_dataset: ({ caller, dataset, force }: Asked<{ dataset: string; force: boolean }>) =>
      actions.remove(dataset, force, caller),
  };
}
