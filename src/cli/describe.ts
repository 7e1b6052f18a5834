/** `featherflight describe NAME`: everything that is applied under a name. */
import { Argument, Command, Option } from 'commander';
import { describeCatalogue } from '../serve/catalogue.ts';
import { freshnessOf, kindWords } from './catalogue.ts';
import type { Context } from './context.ts';
import { withApplied } from './local.ts';
import { printValue } from './print-table.ts';

export function describeCommand(context: Context): Command {
  return new Command()
    .addArgument(new Argument('<name>', 'a name, or view:feature'))
    .addOption(new Option('--kind <kind>', 'only among these').choices(Object.keys(kindWords)))
    .action(async (name: string, options: { kind?: string }) => {
      const kind = options.kind === undefined ? undefined : kindWords[options.kind];
      const rows = await withApplied(context, (registry, history) =>
        describeCatalogue(registry, kind, name, freshnessOf(history)),
      );
      await context.write(context.json ? `${JSON.stringify({ rows })}\n` : rows.map(printRow).join('\n'));
    });
}

const titles: Readonly<Record<string, string>> = {
  entities: 'entity',
  sources: 'source',
  feature_views: 'feature view',
  feature_services: 'feature service',
  features: 'feature',
};

/** A heading, then one line a fact; facts that are not there are left out. */
function printRow({ kind_of, name, ...facts }: Awaited<ReturnType<typeof describeCatalogue>>[number]): string {
  const known = Object.entries(facts)
    .map(([fact, value]) => [fact, printValue(value)] as const)
    .filter(([, text]) => text !== '');
  const width = Math.max(...known.map(([fact]) => fact.length));
  return [`${titles[kind_of]} ${name}`, ...known.map(([fact, text]) => `  ${fact.padEnd(width)}  ${text}`), ''].join('\n');
}
