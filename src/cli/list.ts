/** `featherflight list [KIND]`: what is applied, as a table. */
import { Argument, Command } from 'commander';
import { type CatalogueKind, type CatalogueRow, listCatalogue } from '../serve/catalogue.ts';
import { freshnessOf, kindWords, parseKind } from './catalogue.ts';
import type { Context } from './context.ts';
import { withApplied } from './local.ts';
import { printTable, printValue } from './print-table.ts';
import { urlOption, withServer } from './remote.ts';

const columnsOf: Readonly<Record<CatalogueKind, readonly string[]>> = {
  entities: ['name', 'join_keys', 'owner', 'description'],
  sources: ['name', 'format', 'paths', 'event_timestamp', 'timezone', 'owner', 'description'],
  feature_views: ['name', 'entities', 'source', 'ttl', 'delay', 'newest_event', 'owner', 'description'],
  feature_services: ['name', 'features', 'deprecated', 'owner', 'description'],
  features: ['name', 'type', 'default', 'newest_event', 'owner', 'description'],
};

export function listCommand(context: Context): Command {
  return new Command()
    .addArgument(new Argument('[kind]', `what to list: ${kindWords}`).argParser(parseKind).default('features'))
    .addOption(urlOption(context))
    .action(async (kind: CatalogueKind, { url }: { url?: string }) => {
      const rows = await listRows(kind, url, context);
      await context.write(context.json ? `${JSON.stringify({ kind, rows })}\n` : printTable(filledColumns(kind, rows), rows));
    });
}

/** A column without a value in any row says nothing and takes room. */
function filledColumns(kind: CatalogueKind, rows: readonly CatalogueRow[]): string[] {
  const hasValue = (column: string) => rows.length === 0 || rows.some((row) => printValue(row[column]) !== '');
  return columnsOf[kind].filter(hasValue);
}

async function listRows(kind: CatalogueKind, url: string | undefined, context: Context): Promise<readonly CatalogueRow[]> {
  if (url === undefined)
    return await withApplied(context, (registry, history) => listCatalogue(registry, kind, freshnessOf(history)));
  return await withServer(url, context, (server) => server.catalogue(kind));
}
