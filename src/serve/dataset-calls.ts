/** Saved datasets for the main thread: each call carries who asks. */
import type { Caller } from '../access/caller.ts';
import type { Actor } from '../audit/actor.ts';
import type { ChangingDatasets, TellingDatasets } from './dataset-actions.ts';

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

/** What changes something is done by `acts`. */
export function answerDatasetCalls(actions: TellingDatasets, acts: (actor: Actor) => { readonly datasets: ChangingDatasets }) {
  return {
    create_dataset: ({ caller, input }: Asked<{ input: unknown }>, signal: AbortSignal, onProgress: OnProgress, actor: Actor) =>
      acts(actor).datasets.create(input, caller, signal, onProgress),
    list_datasets: ({ caller, name }: Asked<{ name?: string }>) => actions.list(name, caller),
    describe_dataset: ({ caller, dataset }: Asked<{ dataset: string }>) => actions.describe(dataset, caller),
    dataset_lineage: ({ caller }: Asked<object>) => actions.lineage(caller),
    diff_datasets: ({ caller, from, to }: Asked<{ from: string; to: string }>) => actions.diff(from, to, caller),
    tag_dataset: ({ caller, input }: Asked<{ input: unknown }>, _signal: AbortSignal, _: OnProgress, actor: Actor) =>
      acts(actor).datasets.tag(input, caller),
    reproduce_dataset: ({ caller, dataset }: Asked<{ dataset: string }>, signal: AbortSignal, onProgress: OnProgress) =>
      actions.reproduce(dataset, caller, signal, onProgress),
    delete_dataset: (
      { caller, dataset, force }: Asked<{ dataset: string; force: boolean }>,
      _signal: AbortSignal,
      _: OnProgress,
      actor: Actor,
    ) => acts(actor).datasets.remove(dataset, force, caller),
  };
}
