/** What is done with saved datasets, over Flight and HTTP alike: each checks that the caller's token is for what the dataset reads. */
import { z } from 'zod';
import { type Caller, requireViews } from '../access/caller.ts';
import { viewsAsked } from '../access/views-asked.ts';
import { isDenial } from '../audit/acting.ts';
import { type CreatedDataset, createDataset, type DatasetFrame } from '../dataset/create.ts';
import type { DatasetReaders, Datasets } from '../dataset/datasets.ts';
import { type DatasetDiff, diffDatasets } from '../dataset/diff.ts';
import type { DatasetManifest } from '../dataset/manifest.ts';
import { formatReference } from '../dataset/name.ts';
import { readVocabulary } from '../dataset/open-rows.ts';
import { type Reproduction, reproduceDataset } from '../dataset/reproduce.ts';
import { parseDatasetRequest } from '../dataset/request.ts';
import { type DatasetRow, type ShownDataset, surveyedRow } from '../dataset/shown.ts';
import { tagSchema } from '../dataset/tags.ts';
import { FeatureStoreError } from '../errors.ts';
import type { LineageGraph } from '../lifecycle/lineage-graph.ts';
import type { History } from '../offline/history.ts';
import type { RegistryDocument } from '../registry/document.ts';
import { datasetsFor, mayRead } from './dataset-access.ts';
import { graphOfDatasets } from './dataset-lineage.ts';
import { type EntityFrame, type FrameParts, findFrame } from './entity-frame.ts';
import { createMemoryBudget, frameMemory } from './memory-budget.ts';
import type { QueryQueue, Turn } from './query-queue.ts';
import type { UploadStore } from './uploads.ts';

export interface DatasetActionParts {
  readonly datasets: Datasets;
  readonly history: History;
  readonly uploads: UploadStore;
  readonly queue: QueryQueue;
  readonly root: string;
  readonly readable: readonly string[];
  /** Product and engine, for identities. */
  readonly versions: string;
  registry(): RegistryDocument;
  readDocument(version: number): RegistryDocument | undefined;
}

type OnProgress = (progress: unknown) => void;

/** What somebody is about to make, or to change. */
export type AboutDataset = { readonly input: unknown } | { readonly dataset: unknown };

export interface DatasetActions {
  /** PERMISSION_DENIED where the caller's token is not for the views of it; whatever else is wrong with it is left to who does it. */
  refuse(about: AboutDataset, caller: Caller): Promise<void>;
  create(
    input: unknown,
    caller: Caller,
    signal: AbortSignal,
    onProgress: OnProgress,
  ): Promise<ShownDataset & { created: boolean }>;
  /** The newest version of each name, or all of one, of those that the caller may read; damaged ones with what is wrong. */
  list(name: string | undefined, caller: Caller): Promise<readonly DatasetRow[]>;
  /** With who reads it now. */
  describe(reference: string, caller: Caller): Promise<ShownDataset & { readonly readers: DatasetReaders }>;
  /** Datasets that the caller may read and their models, as a graph. */
  lineage(caller: Caller): Promise<LineageGraph>;
  /** The values of a column of text, in the order of their ids from 1 on. */
  vocabulary(reference: string, column: string, caller: Caller): Promise<readonly string[]>;
  diff(from: string, to: string, caller: Caller): Promise<DatasetDiff>;
  tag(input: unknown, caller: Caller): Promise<ShownDataset>;
  reproduce(reference: string, caller: Caller, signal: AbortSignal, onProgress: OnProgress): Promise<Reproduction>;
  remove(reference: string, force: boolean, caller: Caller): Promise<{ readonly deleted: string }>;
}

/** What of them changes something, and what tells and changes nothing. */
export type ChangingDatasets = Pick<DatasetActions, 'create' | 'tag' | 'remove'>;
export type TellingDatasets = Omit<DatasetActions, keyof ChangingDatasets>;

export const tagRequestSchema = z
  .strictObject({
    dataset: z.string().min(1),
    model: tagSchema.shape.model,
    version: z.string().min(1).max(200).nullish().describe('Which one of that name.'),
    remove: z.boolean().default(false).describe('Take the tag away; without a version all of the model.'),
  })
  .meta({ id: 'tag_dataset' });

export function createDatasetActions(parts: DatasetActionParts): DatasetActions {
  const { datasets, history, queue, registry } = parts;
  const frames: FrameParts = { ...parts, memory: createMemoryBudget(frameMemory), engine: history.engine };

  async function create(input: unknown, caller: Caller, signal: AbortSignal, onProgress: OnProgress) {
    const request = parseDatasetRequest(input);
    const document = registry();
    const views = [...viewsAsked(document, request)];
    requireViews(caller, views);
    const named = await findFrame(frames, request, 'create_dataset');
    let turn: Turn | undefined;
    try {
      turn = await queue.enter(caller.token ?? '', signal);
      const frame = asDatasetFrame(await named.open(), turn);
      const made = await createDataset(
        {
          ...{ history, datasets, versions: parts.versions, registry: document, views },
          nowUs: BigInt(Date.now()) * 1000n,
          createdBy: caller.token === undefined ? null : caller.name,
        },
        request,
        frame,
        turn.signal,
        onProgress,
      );
      return await show(made);
    } catch (error) {
      throw turn?.signal.aborted ? turn.signal.reason : error;
    } finally {
      turn?.leave();
      await named.close();
    }
  }

  async function show({ manifest, created }: CreatedDataset) {
    return { ...(await shown(manifest)), created };
  }

  async function shown(manifest: DatasetManifest): Promise<ShownDataset> {
    return { ...manifest, tags: await datasets.tags(manifest) };
  }

  async function find(reference: string, caller: Caller): Promise<DatasetManifest> {
    return (await datasetsFor(datasets, caller).find(reference)).manifest;
  }

  async function reproduce(reference: string, caller: Caller, signal: AbortSignal, onProgress: OnProgress) {
    const dataset = await datasetsFor(datasets, caller).open(reference);
    let turn: Turn | undefined;
    try {
      turn = await queue.enter(caller.token ?? '', signal);
      const { rows: of } = dataset.manifest;
      return await reproduceDataset({ ...parts, directory: datasets.directory }, dataset, turn.signal, (done) =>
        onProgress({ step: 'rows', done, of }),
      );
    } catch (error) {
      throw turn?.signal.aborted ? turn.signal.reason : error;
    } finally {
      turn?.leave();
      dataset.release();
    }
  }

  async function refuse(about: AboutDataset, caller: Caller): Promise<void> {
    try {
      if ('input' in about) requireViews(caller, viewsAsked(registry(), parseDatasetRequest(about.input)));
      else await find(String(about.dataset), caller);
    } catch (error) {
      if (isDenial(error)) throw error;
    }
  }

  return {
    refuse,
    create,
    async list(name, caller) {
      const isSeen = (manifest: DatasetManifest | undefined) => mayRead(caller, manifest?.recipe.views);
      if (name === undefined) return (await datasets.newestOfEach(isSeen)).map(surveyedRow);
      return (await datasets.survey(name)).filter(({ manifest }) => isSeen(manifest)).map(surveyedRow);
    },
    async describe(reference, caller) {
      const described = await shown(await find(reference, caller));
      const readers = await datasets.readers(formatReference(described));
      // Its tags went with it where it was deleted meanwhile.
      await datasetsFor(datasets, caller).locate(formatReference(described));
      return { ...described, readers };
    },
    async lineage(caller) {
      const all = (await datasets.survey()).filter(({ manifest }) => mayRead(caller, manifest?.recipe.views));
      return graphOfDatasets(all.flatMap(({ manifest, tags }) => (manifest === undefined ? [] : [{ ...manifest, tags }])));
    },
    async vocabulary(reference, column, caller) {
      return await datasetsFor(datasets, caller).reading(reference, (dataset) => readVocabulary(history.engine, dataset, column));
    },
    diff: async (from, to, caller) => diffDatasets(await find(from, caller), await find(to, caller)),
    async tag(input, caller) {
      const { dataset, model, version, remove } = parseTag(input);
      const manifest = await find(dataset, caller);
      const reference = formatReference(manifest);
      const by = caller.token === undefined ? null : caller.name;
      if (remove) await datasets.untag(reference, model, version ?? undefined);
      else await datasets.tag(reference, { model, version: version ?? null, at: new Date().toISOString(), by });
      return await shown(manifest);
    },
    reproduce,
    async remove(reference, force, caller) {
      const deleted = formatReference(await datasetsFor(datasets, caller).locate(reference));
      // What a damaged one was made of nobody knows: whoever may read every view may delete it.
      if (caller.views !== undefined) await find(deleted, caller);
      await datasets.remove(deleted, { by: caller.token === undefined ? null : caller.name, force });
      return { deleted };
    },
  };
}

/** Reading waits for nobody but the disk: whoever asks reads nothing meanwhile. */
function asDatasetFrame(frame: EntityFrame, { pause }: Turn): DatasetFrame {
  return {
    schema: frame.schema,
    rows: frame.rows === undefined ? undefined : Number(frame.rows),
    hash: frame.hash,
    batches: (maxRows, signal) => frame.batches(maxRows, signal, pause),
    finalHash: frame.finalHash,
  };
}

function parseTag(input: unknown): z.output<typeof tagRequestSchema> {
  const parsed = tagRequestSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'the request'}: ${issue.message}`);
  throw new FeatureStoreError('INVALID_ARGUMENT', `tag_dataset: ${issues.join('; ')}`, { details: { issues } });
}
