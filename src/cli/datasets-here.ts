/** What commands do with datasets: by a server, or with the storage and the state of the repository themselves. */
import type { Caller } from '../access/caller.ts';
import { ownWriter } from '../audit/audit.ts';
import { openDatasets } from '../dataset/datasets.ts';
import type { DatasetDiff } from '../dataset/diff.ts';
import type { Reproduction } from '../dataset/reproduce.ts';
import type { DatasetRow, ShownDataset } from '../dataset/shown.ts';
import { silentLogger } from '../observe.ts';
import { readState } from '../registry/state.ts';
import { auditDatasets } from '../serve/acts/datasets.ts';
import { createDatasetActions } from '../serve/dataset-actions.ts';
import { createQueryQueue } from '../serve/query-queue.ts';
import { openUploadStore } from '../serve/uploads.ts';
import { productVersion } from '../version.ts';
import { withAudit } from './audit-here.ts';
import type { Context } from './context.ts';
import { openEntityFrame, withScratchEngine } from './entity-frame.ts';
import { withApplied } from './local.ts';
import { runThere, withServer } from './remote.ts';

/** How far a dataset is. */
export interface DatasetProgress {
  readonly step: string;
  readonly done: number;
  readonly of: number | null;
}

type Show = (progress: DatasetProgress) => void;

export interface DatasetDoor {
  /** `entities` is the file of the frame. */
  create(request: object, entities: string, show: Show): Promise<ShownDataset & { readonly created: boolean }>;
  list(name: string | undefined): Promise<readonly DatasetRow[]>;
  describe(dataset: string): Promise<ShownDataset>;
  diff(from: string, to: string): Promise<DatasetDiff>;
  tag(request: object): Promise<ShownDataset>;
  reproduce(dataset: string, show: Show): Promise<Reproduction>;
  remove(dataset: string, force: boolean): Promise<{ readonly deleted: string }>;
}

export async function withDatasets<T>(
  context: Context,
  url: string | undefined,
  work: (door: DatasetDoor) => Promise<T>,
): Promise<T> {
  return url === undefined ? await withDatasetsHere(context, work) : await work(datasetsThere(context, url));
}

/** Whoever may read the files may do everything. */
const owner: Caller = { token: undefined, name: 'local', scopes: ['admin'], views: undefined };

async function withDatasetsHere<T>(context: Context, work: (door: DatasetDoor) => Promise<T>): Promise<T> {
  return await withApplied(context, async (registry, history, _, config) => {
    const { limits } = config.flight;
    const state = readState(config.state);
    const datasets = await openDatasets(config.storage);
    for (const { path, error } of await datasets.sweep())
      context.say(`${path}: what is left of a dataset could not be removed: ${error}`);
    try {
      const told = createDatasetActions({
        datasets,
        history,
        uploads: await openUploadStore(`${config.storage}/uploads`, limits, silentLogger),
        queue: createQueryQueue(limits),
        root: context.directory,
        readable: ['/'],
        versions: `featherflight ${productVersion}, DuckDB ${history.engineVersion}`,
        registry: () => registry,
        readDocument: (version) => state.readDocument(version),
      });
      const signal = () => context.interruption();
      // Beside a server that holds the state.
      return await withAudit(context, config, ownWriter, async (audit) => {
        const actions = { ...told, ...auditDatasets(audit, told) };
        return await work({
          create: (request, path, show) =>
            actions.create({ ...request, path }, owner, signal(), (one) => show(one as DatasetProgress)),
          list: (name) => actions.list(name, owner),
          describe: (dataset) => actions.describe(dataset, owner),
          diff: (from, to) => actions.diff(from, to, owner),
          tag: (request) => actions.tag(request, owner),
          reproduce: (dataset, show) => actions.reproduce(dataset, owner, signal(), (one) => show(one as DatasetProgress)),
          remove: (dataset, force) => actions.remove(dataset, force, owner),
        });
      });
    } finally {
      await state.close();
    }
  });
}

function datasetsThere(context: Context, url: string): DatasetDoor {
  const ask = async <T>(type: string, input: object) =>
    (await withServer(url, context, (server) => server.action(type, input))) as T;
  const run = async <T>(type: string, input: object, show: Show) => (await runThere(url, context, { type, input }, show)) as T;
  return {
    async create(request, entities, show) {
      const upload = await uploadFile(context, url, entities);
      return await run('create_dataset', { ...request, upload }, show);
    },
    async list(name) {
      if (name === undefined) return (await ask<{ rows: readonly DatasetRow[] }>('list', { kind: 'datasets' })).rows;
      return (await ask<{ rows: readonly DatasetRow[] }>('list', { kind: 'datasets', name })).rows;
    },
    describe: (dataset) => ask('describe_dataset', { dataset }),
    diff: (from, to) => ask('diff_datasets', { from, to }),
    tag: (request) => ask('tag_dataset', request),
    reproduce: (dataset, show) => run('reproduce_dataset', { dataset }, show),
    remove: (dataset, force) => ask('delete_dataset', { dataset, force }),
  };
}

async function uploadFile(context: Context, url: string, path: string): Promise<string> {
  const signal = context.interruption();
  return await withServer(url, context, (server) =>
    withScratchEngine(async (engine) => {
      const { schema, batches } = await openEntityFrame(engine, path, context.directory);
      async function* send() {
        for await (const { length, columns, dictionaries } of batches(signal))
          yield { batch: { schema, length, columns }, dictionaries };
      }
      return await server.upload({ schema, batches: send() }, { signal });
    }),
  );
}
