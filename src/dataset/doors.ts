/** How one version of a dataset is found and held, by somebody who may know of all datasets or of some. */
import { awaitDeletions } from './deletion.ts';
import { listVersions, readManifest, versionPath } from './folder.ts';
import type { DatasetManifest } from './manifest.ts';
import { type DatasetReference, formatReference, parseReference } from './name.ts';
import { type Sees, unknownDataset, unknownVersion } from './not-found.ts';
import type { Readers } from './readers.ts';
import type { SurveyedDataset } from './survey.ts';

/** One version, as it stands. */
export interface Dataset {
  readonly manifest: DatasetManifest;
  /** Its folder, in which the manifest's paths begin. */
  readonly directory: string;
}

/** How one version is found. What is not found is told with what somebody may know of: the nearest name, the versions that there are. */
export interface DatasetDoors {
  /** `NAME@VERSION`, or NAME for the newest. */
  find(reference: string): Promise<Dataset>;
  /** The version that a reference means, whether it can be read or not. */
  locate(reference: string): Promise<DatasetReference & { readonly version: number }>;
  /** Finds it and keeps delete from it, until `release` is called. */
  open(reference: string): Promise<Dataset & { release(): void }>;
  /** The same while some work is done. */
  reading<T>(reference: string, work: (dataset: Dataset) => Promise<T>): Promise<T>;
}

export interface DoorParts {
  readonly directory: string;
  readonly readers: Readers;
  survey(name?: string): Promise<readonly SurveyedDataset[]>;
  /** undefined: all. */
  readonly sees: Sees | undefined;
}

export function openDoors(parts: DoorParts): DatasetDoors {
  const { directory, readers } = parts;

  async function locate(text: string) {
    const { name, version: asked } = parseReference(text);
    const versions = await listVersions(directory, name);
    const version = asked ?? versions.at(-1);
    if (version === undefined) throw await unknownDataset(parts, name);
    if (versions.includes(version)) return { name, version };
    throw await unknownVersion(parts, name, version);
  }

  async function find(text: string): Promise<Dataset> {
    const { name, version } = await locate(text);
    const manifest = await readManifest(directory, name, version);
    if (manifest === undefined) throw await unknownVersion(parts, name, version);
    return { manifest, directory: versionPath(directory, name, version) };
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
    } catch (error) {
      // A delete that is forced does not wait for readers: then it is gone, and neither damaged nor lacking a file.
      if (['ENOENT', 'DATA_LOSS'].includes((error as NodeJS.ErrnoException).code ?? ''))
        await find(formatReference(dataset.manifest));
      throw error;
    } finally {
      release();
    }
  }

  return { locate, find, open, reading };
}
