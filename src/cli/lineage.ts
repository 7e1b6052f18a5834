/** `featherflight lineage NAME`: what a name is made of, and who reads it. */
import { Command } from 'commander';
import { openDatasets } from '../dataset/datasets.ts';
import { lineageOf } from '../lifecycle/lineage.ts';
import { graphOfDatasets } from '../serve/dataset-lineage.ts';
import type { Context } from './context.ts';
import { terminalWidth } from './fold-line.ts';
import { formatLineage, type ShownLineage } from './format-lineage.ts';
import { withApplied } from './local.ts';
import { urlOption, withServer } from './remote.ts';

export function lineageCommand(context: Context): Command {
  return new Command()
    .argument('<name>', 'a source, view, service, dataset, model, table or stream, or view:feature')
    .addOption(urlOption(context))
    .action(async (name: string, { url }: { url?: string }) => {
      const lineage = await findLineage(name, url, context);
      if (context.json) await context.write(`${JSON.stringify(lineage)}\n`);
      else await context.write(formatLineage(lineage, context.isTerminal ? terminalWidth : undefined));
    });
}

async function findLineage(name: string, url: string | undefined, context: Context): Promise<ShownLineage> {
  if (url !== undefined) return await withServer(url, context, (server) => server.lineage(name));
  return await withApplied(context, async (registry, _history, _store, config) => {
    const datasets = await openDatasets(config.storage);
    const shown = (await datasets.survey()).flatMap(({ manifest, tags }) =>
      manifest === undefined ? [] : [{ ...manifest, tags }],
    );
    return lineageOf(registry, name, graphOfDatasets(shown));
  });
}
