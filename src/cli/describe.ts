/** `featherflight describe NAME`: everything that is applied under a name. */
import { Argument, Command, Option } from 'commander';
import { type CatalogueKind, type CatalogueRow, describeCatalogue } from '../serve/catalogue.ts';
import { kindWords, parseKind } from './catalogue.ts';
import type { Context } from './context.ts';
import { factsHere } from './facts-here.ts';
import { withApplied } from './local.ts';
import { printValue } from './print-table.ts';
import { urlOption, withServer } from './remote.ts';

export function describeCommand(context: Context): Command {
  return new Command()
    .addArgument(new Argument('<name>', 'a name, or view:feature'))
    .addOption(new Option('--kind <kind>', `only among these: ${kindWords}`).argParser(parseKind))
    .addOption(urlOption(context))
    .action(async (name: string, { kind, url }: { kind?: CatalogueKind; url?: string }) => {
      const rows = await describeRows(kind, name, url, context);
      await context.write(context.json ? `${JSON.stringify({ rows })}\n` : rows.map(printRow).join('\n'));
    });
}

type Described = CatalogueRow & { readonly kind_of?: unknown };

async function describeRows(
  kind: CatalogueKind | undefined,
  name: string,
  url: string | undefined,
  context: Context,
): Promise<readonly Described[]> {
  if (url === undefined) {
    return await withApplied(context, (...parts) => describeCatalogue(parts[0], kind, name, factsHere(context, parts)));
  }
  return await withServer(url, context, (server) => server.describe(name, kind));
}

const titles: Readonly<Record<string, string>> = {
  entities: 'entity',
  sources: 'source',
  feature_views: 'feature view',
  feature_services: 'feature service',
  features: 'feature',
};

/** A heading, then one line a fact; facts that are not there are left out. */
function printRow({ kind_of, name, ...facts }: Described): string {
  const known = Object.entries(facts)
    .map(([fact, value]) => [fact, printValue(value)] as const)
    .filter(([, text]) => text !== '');
  const width = Math.max(...known.map(([fact]) => fact.length));
  return [`${titles[String(kind_of)]} ${name}`, ...known.map(([fact, text]) => `  ${fact.padEnd(width)}  ${text}`), ''].join(
    '\n',
  );
}
