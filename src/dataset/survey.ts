/** Versions as they are found, whole or not: what is damaged of one hides no other. */
import { asFeatureStoreError } from '../errors.ts';
import { listNames, listVersions, readManifest, versionPath } from './folder.ts';
import type { DatasetManifest } from './manifest.ts';
import { type ModelTag, readTags } from './tags.ts';

export interface SurveyedDataset {
  readonly name: string;
  readonly version: number;
  /** undefined where it cannot be read. */
  readonly manifest: DatasetManifest | undefined;
  readonly tags: readonly ModelTag[];
  /** What of it is damaged, and what to do about it. */
  readonly problem: string | undefined;
}

/** undefined where it was deleted meanwhile. */
export async function lookAt(directory: string, name: string, version: number): Promise<SurveyedDataset | undefined> {
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

/** All versions of all names, or of one, in the order of names and versions. */
export async function surveyDatasets(directory: string, only?: string): Promise<readonly SurveyedDataset[]> {
  const found: SurveyedDataset[] = [];
  for (const name of only === undefined ? await listNames(directory) : [only])
    for (const version of await listVersions(directory, name)) {
      const one = await lookAt(directory, name, version);
      if (one !== undefined) found.push(one);
    }
  return found;
}
