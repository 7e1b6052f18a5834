/** What is told of a dataset that is not there: nothing of others that whoever asks may not know of. */
import { didYouMean, FeatureStoreError } from '../errors.ts';
import { listNames, listVersions, readTombstone } from './folder.ts';
import { formatReference } from './name.ts';
import type { SurveyedDataset } from './survey.ts';

/** Whether somebody may know of datasets that are made of these views. */
export type Sees = (views: readonly string[]) => boolean;

export interface KnownDatasets {
  readonly directory: string;
  survey(name?: string): Promise<readonly SurveyedDataset[]>;
  /** undefined: all. */
  readonly sees: Sees | undefined;
}

/** NOT_FOUND with the nearest name. */
export async function unknownDataset(known: KnownDatasets, name: string): Promise<FeatureStoreError> {
  const names = known.sees === undefined ? await listNames(known.directory) : (await seen(known)).map((one) => one.name);
  const datasets = [...new Set(names)];
  return new FeatureStoreError('NOT_FOUND', `there is no dataset "${name}"${didYouMean(name, datasets)}`, {
    details: { dataset: name, datasets },
  });
}

/** NOT_FOUND with when it was deleted, and the versions that there are. */
export async function unknownVersion(known: KnownDatasets, name: string, version: number): Promise<FeatureStoreError> {
  const { directory, sees } = known;
  const tombstone = await readTombstone(directory, name, version);
  // Of what a deleted one was made of, its tombstone knows.
  const gone = sees === undefined || (tombstone?.views != null && sees(tombstone.views)) ? tombstone : undefined;
  const versions = sees === undefined ? await listVersions(directory, name) : (await seen(known, name)).map((one) => one.version);
  if (gone === undefined && versions.length === 0) return await unknownDataset(known, name);
  const what = gone === undefined ? 'does not exist' : `was deleted at ${gone.deleted_at}`;
  const others = versions.map((one) => formatReference({ name, version: one })).join(', ');
  const there = versions.length === 0 ? 'there is no other version' : `there ${versions.length === 1 ? 'is' : 'are'} ${others}`;
  const dataset = formatReference({ name, version });
  return new FeatureStoreError('NOT_FOUND', `dataset ${dataset} ${what}; ${there}`, {
    details: { dataset, versions, deleted_at: gone?.deleted_at ?? null },
  });
}

async function seen({ survey, sees }: KnownDatasets, name?: string): Promise<readonly SurveyedDataset[]> {
  return (await survey(name)).filter(({ manifest }) => manifest !== undefined && sees?.(manifest.recipe.views));
}
