/** Makes a feature repository that can be applied at once: a template, and for StreamRec the data that its definitions read. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { copyTemplate, type TemplateName } from './copy-template.ts';
import { generateStreamRec } from './generate-streamrec.ts';

/** Makes `directory`; says what takes a while. ALREADY_EXISTS where it holds files of the template. */
export async function createRepository(template: TemplateName, directory: string, say: (line: string) => void): Promise<void> {
  await copyTemplate(template, directory);
  if (template === 'streamrec') await generateData(directory, say);
}

/** The repository of the demo: as it was left, or made where it is missing; data that was deleted or never finished is made again. */
export async function ensureStreamRec(directory: string, say: (line: string) => void): Promise<void> {
  if (!existsSync(join(directory, 'featherflight.config.ts'))) await copyTemplate('streamrec', directory);
  // The frame is written last.
  if (!existsSync(join(directory, 'data', 'frame.parquet'))) await generateData(directory, say);
}

async function generateData(directory: string, say: (line: string) => void): Promise<void> {
  say('making users, items, a click stream and daily features');
  const { rows } = await generateStreamRec(join(directory, 'data'));
  for (const [path, count] of Object.entries(rows)) say(`  ${`data/${path}`.padEnd(24)} ${count.toLocaleString('en')} rows`);
}
