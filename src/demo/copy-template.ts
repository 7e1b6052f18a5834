/** Lays down a feature repository to begin with. */
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FeatureStoreError } from '../index.ts';

export const templateNames = ['streamrec', 'minimal'] as const;

export type TemplateName = (typeof templateNames)[number];

/** Templates stay where they are written, so that they are the same for a source tree and for an installed package. */
const templates = fileURLToPath(new URL('../../src/demo/template/', import.meta.url));

/**
 * Copies a template into `directory` (made where it is missing) and lists its files, sorted.
 * ALREADY_EXISTS where the directory holds any of them; nothing is overwritten and nothing is copied then.
 */
export async function copyTemplate(name: TemplateName, directory: string): Promise<string[]> {
  const template = join(templates, name);
  const entries = await readdir(template, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(template.length + 1))
    .map(landingName)
    .sort();
  const clash = files.find((file) => existsSync(join(directory, file)));
  if (clash !== undefined) {
    throw new FeatureStoreError('ALREADY_EXISTS', `${join(directory, clash)} is there already; name a new directory`);
  }
  await mkdir(directory, { recursive: true });
  await cp(template, directory, { recursive: true });
  await rename(join(directory, 'gitignore'), join(directory, '.gitignore'));
  return files;
}

/** npm leaves files named .gitignore out of a package, hence the name without a dot. */
function landingName(file: string): string {
  return file === 'gitignore' ? '.gitignore' : file;
}
