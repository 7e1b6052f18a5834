/** The models that were trained on a version of a dataset: a file of `tags/` each, so that nobody who tags writes over another's. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { FeatureStoreError } from '../errors.ts';
import { sync } from './folder.ts';
import { formatReference } from './name.ts';

export const tagSchema = z.object({
  model: z.string().min(1).max(200).describe('The model that was trained on it.'),
  version: z.string().min(1).max(200).nullable().describe('Which one of that name.'),
  at: z.string(),
  by: z.string().nullable(),
});

export type ModelTag = z.output<typeof tagSchema>;

/** In the order in which they came. */
export async function readTags(version: string): Promise<readonly ModelTag[]> {
  const folder = join(version, 'tags');
  const files = (await orNone(readdir(folder), [])).filter((name) => name.endsWith('.json'));
  const tags = await Promise.all(files.map((name) => readTag(version, join(folder, name))));
  const text = ({ at, model, version: of }: ModelTag) => JSON.stringify([at, model, of]);
  return tags.flatMap((tag) => tag ?? []).toSorted((a, b) => (text(a) < text(b) ? -1 : 1));
}

/** A model and version that has a tag already gets no second one. */
export async function writeTag(version: string, tag: ModelTag): Promise<readonly ModelTag[]> {
  const path = pathOf(version, tag);
  if ((await orNone(stat(path), undefined)) === undefined) {
    const folder = join(version, 'tags');
    await orNone(mkdir(folder), undefined, 'EEXIST');
    const draft = `${path}.${randomBytes(4).toString('hex')}`;
    await writeFile(draft, JSON.stringify(tag));
    await sync(draft);
    await rename(draft, path);
    await sync(folder);
    await sync(version);
  }
  return await readTags(version);
}

/** Takes a model's tags away, or that of one version of it; undefined where there was none. */
export async function removeTag(
  version: string,
  model: string,
  of: string | undefined,
): Promise<readonly ModelTag[] | undefined> {
  const gone = (await readTags(version)).filter((tag) => tag.model === model && (of === undefined || tag.version === of));
  if (gone.length === 0) return undefined;
  for (const tag of gone) await rm(pathOf(version, tag), { force: true });
  await sync(join(version, 'tags'));
  return await readTags(version);
}

/** Models have names that no file may have. */
function pathOf(version: string, { model, version: of }: Pick<ModelTag, 'model' | 'version'>): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([model, of]))
    .digest('hex');
  return join(version, 'tags', `${hash.slice(0, 32)}.json`);
}

/** undefined where it was taken away meanwhile. */
async function readTag(version: string, path: string): Promise<ModelTag | undefined> {
  const text = await orNone(readFile(path, 'utf8'), undefined);
  if (text === undefined) return undefined;
  try {
    return tagSchema.parse(JSON.parse(text));
  } catch (cause) {
    const file = `tags/${basename(path)}`;
    const dataset = formatReference({ name: basename(dirname(version)), version: Number(basename(version)) });
    throw new FeatureStoreError('DATA_LOSS', `${file} of dataset ${dataset} is damaged; remove it and tag the dataset again`, {
      details: { dataset, path: file },
      cause,
    });
  }
}

async function orNone<T, N>(work: Promise<T>, none: N, code = 'ENOENT'): Promise<T | N> {
  return await work.catch((error: NodeJS.ErrnoException) => {
    if (error.code === code) return none;
    throw error;
  });
}
