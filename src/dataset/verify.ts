/** Whether files of a dataset are what they were when it was saved. */
import { FeatureStoreError } from '../errors.ts';
import type { Dataset } from './datasets.ts';
import type { DatasetFile, DatasetManifest } from './manifest.ts';
import { formatReference } from './name.ts';
import { describeFile } from './write-rows.ts';

/** DATA_LOSS names a file that is gone, or that is not what it was. */
export async function verifyFile(dataset: string, directory: string, { path, bytes, sha256 }: DatasetFile): Promise<void> {
  const found = await describeFile(directory, path).catch((cause: unknown) => {
    throw damaged(dataset, path, 'is gone, or cannot be read', cause);
  });
  if (found.bytes !== bytes) throw damaged(dataset, path, `has ${found.bytes} bytes, and had ${bytes}`);
  if (found.sha256 !== sha256) throw damaged(dataset, path, 'is not what it was: its checksum is another');
}

/** The same of all files of a version. */
export async function verifyDataset({ manifest, directory }: Dataset): Promise<void> {
  for (const file of filesOf(manifest)) await verifyFile(formatReference(manifest), directory, file);
}

function filesOf({ splits, columns, recipe }: DatasetManifest): readonly DatasetFile[] {
  const vocabularies = columns.flatMap(({ vocabulary }) => (vocabulary === null ? [] : [vocabulary]));
  const rows = splits.flatMap(({ files, blocks }) => [...files, blocks, blocks.checksums]);
  return [...rows, ...vocabularies, recipe.frame];
}

function damaged(dataset: string, path: string, what: string, cause?: unknown): FeatureStoreError {
  return new FeatureStoreError(
    'DATA_LOSS',
    `dataset ${dataset}: "${path}" ${what}; restore the file, or create the dataset again and delete this version`,
    { details: { dataset, path }, cause },
  );
}
