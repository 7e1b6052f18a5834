/** The models that were trained on a version of a dataset, in `tags.json` beside its manifest. */
import { randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { FeatureStoreError } from '../errors.ts';
import { sync } from './folder.ts';

export const tagSchema = z.object({
  model: z.string().min(1).max(200).describe('The model that was trained on it.'),
  version: z.string().min(1).max(200).nullable().describe('Which one of that name.'),
  at: z.string(),
  by: z.string().nullable(),
});

export type ModelTag = z.output<typeof tagSchema>;

/** In the order in which they came. */
export async function readTags(version: string): Promise<readonly ModelTag[]> {
  const text = await readFile(join(version, 'tags.json'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '[]';
    throw error;
  });
  try {
    return z.array(tagSchema).parse(JSON.parse(text));
  } catch (cause) {
    const path = join(version, 'tags.json');
    throw new FeatureStoreError('DATA_LOSS', `"${path}" is damaged; remove it and tag the dataset again`, {
      details: { path },
      cause,
    });
  }
}

/** A model and version that has a tag already gets no second one. */
export async function writeTag(version: string, tag: ModelTag): Promise<readonly ModelTag[]> {
  const tags = await readTags(version);
  if (tags.some((known) => known.model === tag.model && known.version === tag.version)) return tags;
  return await replace(version, [...tags, tag]);
}

/** Takes a model's tags away, or that of one version of it; undefined where there was none. */
export async function removeTag(
  version: string,
  model: string,
  of: string | undefined,
): Promise<readonly ModelTag[] | undefined> {
  const tags = await readTags(version);
  const left = tags.filter((tag) => tag.model !== model || (of !== undefined && tag.version !== of));
  return left.length === tags.length ? undefined : await replace(version, left);
}

async function replace(version: string, tags: readonly ModelTag[]): Promise<readonly ModelTag[]> {
  const path = join(version, 'tags.json');
  const draft = `${path}.${randomBytes(4).toString('hex')}`;
  await writeFile(draft, JSON.stringify(tags));
  await sync(draft);
  await rename(draft, path);
  await sync(dirname(path));
  return tags;
}
