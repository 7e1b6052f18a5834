/** `featherflight dataset tag|reproduce|delete`. */
import { Command } from 'commander';
import { nameModel } from '../dataset/shown.ts';
import type { Context } from './context.ts';
import { shower } from './dataset-create.ts';
import { withDatasets } from './datasets-here.ts';
import { endWithFailure } from './exit.ts';
import { formatReproduction } from './format-dataset.ts';
import { urlOption } from './remote.ts';

export function tagCommand(context: Context): Command {
  return new Command('tag')
    .description('say that a model was trained on a version')
    .argument('<dataset>', 'NAME@VERSION, or NAME for the newest')
    .argument('<model>', 'MODEL or MODEL@VERSION')
    .option('--remove', 'take the tag away')
    .addOption(urlOption(context))
    .action(async (dataset: string, text: string, { remove, url }: { remove?: true; url?: string }) => {
      const [model, version] = splitModel(text);
      const request = { dataset, model, version, remove: remove === true };
      const shown = await withDatasets(context, url, (door) => door.tag(request));
      const models = shown.tags.map(nameModel).join(', ') || 'no model';
      await context.write(context.json ? `${JSON.stringify(shown)}\n` : `${shown.name}@${shown.version}: ${models}\n`);
    });
}

function splitModel(text: string): readonly [string, string | null] {
  const at = text.lastIndexOf('@');
  return at > 0 ? [text.slice(0, at), text.slice(at + 1)] : [text, null];
}

export function reproduceCommand(context: Context): Command {
  return new Command('reproduce')
    .description('compute a version once more; exit status 0 only if it is the same')
    .argument('<dataset>', 'NAME@VERSION, or NAME for the newest')
    .addOption(urlOption(context))
    .action(async (dataset: string, { url }: { url?: string }) => {
      const found = await withDatasets(context, url, (door) => door.reproduce(dataset, shower(context)));
      context.progress('');
      await context.write(context.json ? `${JSON.stringify(found)}\n` : formatReproduction(found));
      if (!found.same) endWithFailure();
    });
}

export function deleteCommand(context: Context): Command {
  return new Command('delete')
    .description('remove a version for good')
    .argument('<dataset>', 'NAME@VERSION')
    .option('--force', 'also while it is read, or a model is tagged with it')
    .option('--yes', 'do not ask; without a terminal nothing is asked anyway')
    .addOption(urlOption(context))
    .action(async (dataset: string, options: { force?: true; yes?: true; url?: string }) => {
      const asks = options.yes !== true && context.isTerminal && !context.json;
      if (asks && !(await context.confirm(`Delete dataset ${dataset} for good?`))) {
        context.say('nothing was deleted');
        endWithFailure();
      }
      const report = await withDatasets(context, options.url, (door) => door.remove(dataset, options.force === true));
      await context.write(context.json ? `${JSON.stringify(report)}\n` : `deleted ${report.deleted}\n`);
    });
}
