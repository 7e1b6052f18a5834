/** The datasets of a storage folder, which servers may share: found by name, held while they are read, tagged and deleted. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FeatureStoreError } from '../errors.ts';
import { announceDeletion } from './deletion.ts';
import { type DatasetDoors, openDoors } from './doors.ts';
import { listNames, listVersions, removeDeleted, sweep, type Unremoved, versionPath } from './folder.ts';
import type { DatasetManifest } from './manifest.ts';
import { type DatasetReference, formatReference } from './name.ts';
import type { Sees } from './not-found.ts';
import { createReaders } from './readers.ts';
import { lookAt, type SurveyedDataset, surveyDatasets } from './survey.ts';
import { type ModelTag, readTags, removeTag, writeTag } from './tags.ts';

export type { Dataset } from './doors.ts';

export interface DatasetReaders {
  readonly streams: number;
  readonly processes: number;
}

export interface Datasets extends DatasetDoors {
  /** Where they all are. */
  readonly directory: string;
  /** The same for somebody who may not know of all. */
  seenBy(sees: Sees | undefined): DatasetDoors;
  /** The newest version of a name, where there is one that can be read. */
  newest(name: string): Promise<DatasetManifest | undefined>;
  /** All versions of all names, or of one, in the order of names and versions; what is damaged of one hides no other. */
  survey(name?: string): Promise<readonly SurveyedDataset[]>;
  /** Those of them that can be read. */
  list(name?: string): Promise<readonly DatasetManifest[]>;
  /** Of each name the newest version that is wanted, damaged or not, in the order of names; older ones are not read. */
  newestOfEach(isWanted: (manifest: DatasetManifest | undefined) => boolean): Promise<readonly SurveyedDataset[]>;
  /** Who reads a version now: streams of this process, and other processes. */
  readers(reference: string): Promise<DatasetReaders>;
  tags(reference: DatasetReference & { readonly version: number }): Promise<readonly ModelTag[]>;
  tag(reference: string, tag: ModelTag): Promise<readonly ModelTag[]>;
  /** Takes a model's tags away; NOT_FOUND where it has none. */
  untag(reference: string, model: string, version?: string): Promise<readonly ModelTag[]>;
  /** Removes a version for good, damaged or not; FAILED_PRECONDITION while it is read or a model is tagged with it, unless forced. */
  remove(reference: string, options: { readonly by: string | null; readonly force: boolean }): Promise<void>;
  /** Removes what processes that died have left; answers what it could not remove, which stops nothing else. */
  sweep(): Promise<readonly Unremoved[]>;
}

export async function openDatasets(storage: string): Promise<Datasets> {
  const directory = join(storage, 'datasets');
  await mkdir(directory, { recursive: true });
  const readers = createReaders(directory);

  async function newest(name: string): Promise<DatasetManifest | undefined> {
    const version = (await listVersions(directory, name)).at(-1);
    return version === undefined ? undefined : (await lookAt(directory, name, version))?.manifest;
  }

  const survey = (name?: string) => surveyDatasets(directory, name);

  async function newestOfEach(isWanted: (manifest: DatasetManifest | undefined) => boolean): Promise<readonly SurveyedDataset[]> {
    const found: SurveyedDataset[] = [];
    for (const name of await listNames(directory)) {
      for (const version of (await listVersions(directory, name)).reverse()) {
        const one = await lookAt(directory, name, version);
        if (one === undefined || !isWanted(one.manifest)) continue;
        found.push(one);
        break;
      }
    }
    return found;
  }

  async function list(name?: string): Promise<readonly DatasetManifest[]> {
    return (await survey(name)).flatMap(({ manifest }) => manifest ?? []);
  }

  const seenBy = (sees: Sees | undefined) => openDoors({ directory, readers, survey, sees });
  const { find, locate, open, reading } = seenBy(undefined);

  async function countReaders(reference: string): Promise<DatasetReaders> {
    const { streams, others } = await readers.count(reference);
    return { streams, processes: others };
  }

  async function refuseWhileRead(reference: string): Promise<void> {
    const { streams, processes } = await countReaders(reference);
    if (streams + processes === 0) return;
    const who = [
      ...(streams > 0 ? [`${streams} ${streams === 1 ? 'stream' : 'streams'} of this server`] : []),
      ...(processes > 0 ? [`${processes} other ${processes === 1 ? 'process' : 'processes'}`] : []),
    ];
    throw new FeatureStoreError(
      'FAILED_PRECONDITION',
      `dataset ${reference} is being read by ${who.join(' and ')}; wait for them, or delete it with force`,
      { details: { dataset: reference, streams, processes } },
    );
  }

  async function refuseWhileTagged(reference: string, path: string): Promise<void> {
    const models = (await readTags(path)).map(({ model, version }) => nameModel(model, version));
    if (models.length === 0) return;
    throw new FeatureStoreError(
      'FAILED_PRECONDITION',
      `dataset ${reference} made ${models.join(', ')}; take the tags away, or delete it with force`,
      { details: { dataset: reference, models } },
    );
  }

  async function remove(text: string, { by, force }: { by: string | null; force: boolean }): Promise<void> {
    const { name, version } = await locate(text);
    const reference = formatReference({ name, version });
    const manifest = (await lookAt(directory, name, version))?.manifest;
    const [id, views] = [manifest?.id ?? null, manifest?.recipe.views ?? null];
    const tombstone = { id, views, deleted_at: new Date().toISOString(), by };
    const deletion = await announceDeletion(directory, name, version, tombstone);
    try {
      // Another process may have been quicker.
      await locate(reference);
      if (!force) {
        // In this order: whoever tags it reads it meanwhile.
        await refuseWhileRead(reference);
        await refuseWhileTagged(reference, versionPath(directory, name, version));
      }
      if (!(await deletion.commit())) await locate(reference);
    } finally {
      await deletion.withdraw();
    }
    // It is deleted by now, and its files go with the next sweep, if they do not at once.
    await removeDeleted(directory, name, version).catch(() => {});
  }

  return {
    ...{ directory, find, locate, open, reading, seenBy, newest, survey, list, newestOfEach, remove, readers: countReaders },
    tags: ({ name, version }) => readTags(versionPath(directory, name, version)),
    tag: async (text, tag) => await reading(text, ({ directory: path }) => writeTag(path, tag)),
    untag: async (text, model, version) =>
      await reading(text, async ({ manifest, directory: path }) => {
        const left = await removeTag(path, model, version);
        if (left !== undefined) return left;
        const dataset = formatReference(manifest);
        throw new FeatureStoreError('NOT_FOUND', `dataset ${dataset} is not tagged with ${nameModel(model, version)}`, {
          details: { dataset, model, version: version ?? null },
        });
      }),
    sweep: async () => [...(await sweep(directory)), ...(await readers.sweep())],
  };
}

function nameModel(model: string, version: string | null | undefined): string {
  return `model ${model}${version == null ? '' : `@${version}`}`;
}
