/** The datasets of a storage folder, which servers may share: found by name, held while they are read, tagged and deleted. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { asFeatureStoreError, didYouMean, FeatureStoreError } from '../errors.ts';
import { announceDeletion, awaitDeletions } from './deletion.ts';
import { listNames, listVersions, readManifest, readTombstone, removeDeleted, sweep, versionPath } from './folder.ts';
import type { DatasetManifest } from './manifest.ts';
import { type DatasetReference, formatReference, parseReference } from './name.ts';
import { createReaders } from './readers.ts';
import { type ModelTag, readTags, removeTag, writeTag } from './tags.ts';

/** One version, as it stands. */
export interface Dataset {
  readonly manifest: DatasetManifest;
  /** Its folder, in which the manifest's paths begin. */
  readonly directory: string;
}

export interface DatasetReaders {
  readonly streams: number;
  readonly processes: number;
}

/** One version as it was found, whole or not. */
export interface SurveyedDataset {
  readonly name: string;
  readonly version: number;
  /** undefined where it cannot be read. */
  readonly manifest: DatasetManifest | undefined;
  readonly tags: readonly ModelTag[];
  /** What of it is damaged, and what to do about it. */
  readonly problem: string | undefined;
}

export interface Datasets {
  /** Where they all are. */
  readonly directory: string;
  /** `NAME@VERSION`, or NAME for the newest; NOT_FOUND names the nearest, and the versions that there are. */
  find(reference: string): Promise<Dataset>;
  /** The version that a reference means, whether it can be read or not. */
  locate(reference: string): Promise<DatasetReference & { readonly version: number }>;
  /** The newest version of a name, where there is one that can be read. */
  newest(name: string): Promise<DatasetManifest | undefined>;
  /** All versions of all names, or of one, in the order of names and versions; what is damaged of one hides no other. */
  survey(name?: string): Promise<readonly SurveyedDataset[]>;
  /** Those of them that can be read. */
  list(name?: string): Promise<readonly DatasetManifest[]>;
  /** Of each name the newest version that is wanted, damaged or not, in the order of names; older ones are not read. */
  newestOfEach(isWanted: (manifest: DatasetManifest | undefined) => boolean): Promise<readonly SurveyedDataset[]>;
  /** Finds it and keeps delete from it, until `release` is called. */
  open(reference: string): Promise<Dataset & { release(): void }>;
  /** The same while some work is done. */
  reading<T>(reference: string, work: (dataset: Dataset) => Promise<T>): Promise<T>;
  /** Who reads a version now: streams of this process, and other processes. */
  readers(reference: string): Promise<DatasetReaders>;
  tags(reference: DatasetReference & { readonly version: number }): Promise<readonly ModelTag[]>;
  tag(reference: string, tag: ModelTag): Promise<readonly ModelTag[]>;
  /** Takes a model's tags away; NOT_FOUND where it has none. */
  untag(reference: string, model: string, version?: string): Promise<readonly ModelTag[]>;
  /** Removes a version for good, damaged or not; FAILED_PRECONDITION while it is read or a model is tagged with it, unless forced. */
  remove(reference: string, options: { readonly by: string | null; readonly force: boolean }): Promise<void>;
  /** Removes what processes that died have left. */
  sweep(): Promise<void>;
}

export async function openDatasets(storage: string): Promise<Datasets> {
  const directory = join(storage, 'datasets');
  await mkdir(directory, { recursive: true });
  const readers = createReaders(directory);

  async function locate(text: string): Promise<DatasetReference & { readonly version: number }> {
    const { name, version: asked } = parseReference(text);
    const versions = await listVersions(directory, name);
    const version = asked ?? versions.at(-1);
    if (version === undefined) throw await unknownDataset(directory, name);
    if (versions.includes(version)) return { name, version };
    throw await unknownVersion(directory, name, version, versions);
  }

  async function find(text: string): Promise<Dataset> {
    const { name, version } = await locate(text);
    const manifest = await readManifest(directory, name, version);
    if (manifest === undefined) throw await unknownVersion(directory, name, version, await listVersions(directory, name));
    return { manifest, directory: versionPath(directory, name, version) };
  }

  async function newest(name: string): Promise<DatasetManifest | undefined> {
    const version = (await listVersions(directory, name)).at(-1);
    return version === undefined ? undefined : (await look(name, version))?.manifest;
  }

  /** undefined where it was deleted meanwhile. */
  async function look(name: string, version: number): Promise<SurveyedDataset | undefined> {
    let manifest: DatasetManifest | undefined;
    try {
      manifest = await readManifest(directory, name, version);
      if (manifest === undefined) return undefined;
      const tags = await readTags(versionPath(directory, name, version));
      return { name, version, manifest, tags, problem: undefined };
    } catch (error) {
      return { name, version, manifest, tags: [], problem: asFeatureStoreError(error).message };
    }
  }

  async function survey(only?: string): Promise<readonly SurveyedDataset[]> {
    const found: SurveyedDataset[] = [];
    for (const name of only === undefined ? await listNames(directory) : [only])
      for (const version of await listVersions(directory, name)) {
        const one = await look(name, version);
        if (one !== undefined) found.push(one);
      }
    return found;
  }

  async function newestOfEach(isWanted: (manifest: DatasetManifest | undefined) => boolean): Promise<readonly SurveyedDataset[]> {
    const found: SurveyedDataset[] = [];
    for (const name of await listNames(directory)) {
      for (const version of (await listVersions(directory, name)).reverse()) {
        const one = await look(name, version);
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

  async function open(text: string): Promise<Dataset & { release(): void }> {
    const { manifest } = await find(text);
    const release = await readers.hold(formatReference(manifest));
    try {
      // Whoever began to delete it before that was said may not have seen it.
      await awaitDeletions(directory, manifest.name, manifest.version);
      return { ...(await find(formatReference(manifest))), release };
    } catch (error) {
      release();
      throw error;
    }
  }

  async function reading<T>(text: string, work: (dataset: Dataset) => Promise<T>): Promise<T> {
    const { release, ...dataset } = await open(text);
    try {
      return await work(dataset);
    } finally {
      release();
    }
  }

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
    const id = (await look(name, version))?.manifest?.id ?? null;
    const deletion = await announceDeletion(directory, name, version, { id, deleted_at: new Date().toISOString(), by });
    try {
      // Another process may have been quicker.
      await locate(reference);
      if (!force) {
        // In this order: whoever tags it reads it meanwhile.
        await refuseWhileRead(reference);
        await refuseWhileTagged(reference, versionPath(directory, name, version));
      }
      await deletion.commit();
    } finally {
      await deletion.withdraw();
    }
    await removeDeleted(directory, name, version);
  }

  return {
    ...{ directory, find, locate, newest, survey, list, newestOfEach, open, reading, remove, readers: countReaders },
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
    async sweep() {
      await sweep(directory);
      await readers.sweep();
    },
  };
}

function nameModel(model: string, version: string | null | undefined): string {
  return `model ${model}${version == null ? '' : `@${version}`}`;
}

async function unknownDataset(directory: string, name: string): Promise<FeatureStoreError> {
  const known = await listNames(directory);
  return new FeatureStoreError('NOT_FOUND', `there is no dataset "${name}"${didYouMean(name, known)}`, {
    details: { dataset: name, datasets: known },
  });
}

async function unknownVersion(
  directory: string,
  name: string,
  version: number,
  versions: readonly number[],
): Promise<FeatureStoreError> {
  const gone = await readTombstone(directory, name, version);
  if (versions.length === 0 && gone === undefined) return await unknownDataset(directory, name);
  const what = gone === undefined ? 'does not exist' : `was deleted at ${gone.deleted_at}`;
  const left = versions.length === 0 ? 'is no other version' : tellVersions(name, versions);
  return new FeatureStoreError('NOT_FOUND', `dataset ${name}@${version} ${what}; there ${left}`, {
    details: { dataset: `${name}@${version}`, versions, deleted_at: gone?.deleted_at ?? null },
  });
}

function tellVersions(name: string, versions: readonly number[]): string {
  return `${versions.length === 1 ? 'is' : 'are'} ${versions.map((one) => `${name}@${one}`).join(', ')}`;
}
