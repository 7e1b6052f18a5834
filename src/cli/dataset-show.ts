/** `featherflight dataset list|describe|diff`: what is saved, and how versions differ. */
import { Command } from 'commander';
import type { Context } from './context.ts';
import { withDatasets } from './datasets-here.ts';
import { terminalWidth } from './fold-line.ts';
import { formatDataset, formatDiff } from './format-dataset.ts';
import { printTable, printValue } from './print-table.ts';
import { urlOption } from './remote.ts';

interface Options {
  readonly url?: string;
}

const listed = ['name', 'rows', 'splits', 'models', 'created_at', 'created_by', 'warnings', 'description', 'damaged'];

export function listCommand(context: Context): Command {
  return new Command('list')
    .description('the newest version of each, or all versions of one')
    .argument('[name]', 'a dataset')
    .addOption(urlOption(context))
    .action(async (name: string | undefined, { url }: Options) => {
      const rows = await withDatasets(context, url, (door) => door.list(name));
      if (context.json) return await context.write(`${JSON.stringify({ kind: 'datasets', rows })}\n`);
      const shown = rows.map((row) => ({ ...row, created_at: String(row.created_at ?? '').slice(0, 19) }));
      const columns = listed.filter((column) => rows.length === 0 || rows.some((row) => printValue(row[column]) !== ''));
      await context.write(printTable(columns, shown, undefined, context.isTerminal ? terminalWidth : undefined));
    });
}

export function describeCommand(context: Context): Command {
  return new Command('describe')
    .description('recipe, columns with statistics, gates and tags of a version')
    .argument('<dataset>', 'NAME@VERSION, or NAME for the newest')
    .addOption(urlOption(context))
    .action(async (dataset: string, { url }: Options) => {
      const shown = await withDatasets(context, url, (door) => door.describe(dataset));
      await context.write(context.json ? `${JSON.stringify(shown)}\n` : formatDataset(shown));
    });
}

export function diffCommand(context: Context): Command {
  return new Command('diff')
    .description('how two versions differ: recipe, columns, statistics, sources')
    .argument('<from>', 'NAME@VERSION')
    .argument('<to>', 'NAME@VERSION')
    .addOption(urlOption(context))
    .action(async (from: string, to: string, { url }: Options) => {
      const diff = await withDatasets(context, url, (door) => door.diff(from, to));
      await context.write(context.json ? `${JSON.stringify(diff)}\n` : formatDiff(diff));
    });
}
