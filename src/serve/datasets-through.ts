/** Saved datasets for HTTP, as the worker has them: each call carries who asks. */
import type { DatasetCalls } from '../http/parts.ts';
import type { LineageGraph } from '../lifecycle/lineage-graph.ts';
import type { WorkerLink } from './worker-link.ts';

export function datasetsThrough(call: WorkerLink['call']): DatasetCalls {
  type Rows = Awaited<ReturnType<DatasetCalls['list']>>;
  type Described = Awaited<ReturnType<DatasetCalls['describe']>>;
  return {
    create: (input, caller, { actor, signal }, onProgress) =>
      call('create_dataset', { input, caller }, { actor, signal, onProgress }),
    list: async (name, caller) => (await call('list_datasets', { name, caller })) as Rows,
    describe: async (dataset, caller) => (await call('describe_dataset', { dataset, caller })) as Described,
    lineage: async (caller) => (await call('dataset_lineage', { caller })) as LineageGraph,
    diff: (from, to, caller) => call('diff_datasets', { from, to, caller }),
    tag: (input, caller, actor) => call('tag_dataset', { input, caller }, { actor }),
    reproduce: (dataset, caller, signal, onProgress) => call('reproduce_dataset', { dataset, caller }, { signal, onProgress }),
    remove: (dataset, force, caller, actor) => call('delete_dataset', { dataset, force, caller }, { actor }),
  };
}
