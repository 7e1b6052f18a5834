/** `featherflight list [KIND]`: what is applied, as a table. */
import { Argument, Command } from 'commander';
import { type CatalogueKind, type CatalogueRow, listCatalogue } from '../serve/catalogue.ts';
import { kindWords, parseKind } from './catalogue.ts';
import type { Context } from './context.ts';
import { factsHere } from './facts-here.ts';
import { terminalWidth } from './fold-line.ts';
import { withApplied } from './local.ts';
import { printTable, printValue } from './print-table.ts';
import { urlOption, withServer } from './remote.ts';

const columnsOf: Readonly<Record<CatalogueKind, readonly string[]>> = {
  entities: ['name', 'join_keys', 'owner', 'description'],
  sources: ['name', 'format', 'paths', 'stream', 'lag_records', 'event_timestamp', 'timezone', 'owner', 'description'],
  feature_views: [
    ...['name', 'entities', 'source', 'ttl', 'delay', 'newest_event', 'freshness', 'freshness_state'],
    ...['deprecated', 'last_read', 'owner', 'description'],
  ],
  feature_services: ['name', 'features', 'deprecated', 'last_read', 'owner', 'description'],
  features: ['name', 'type', 'default', 'newest_event', 'deprecated', 'last_read', 'owner', 'description'],
};

export function listCommand(context: Context): Command {
  return new Command()
    .addArgument(new Argument('[kind]', `what to list: ${kindWords}`).argParser(parseKind).default('features'))
    .addOption(urlOption(context))
    .action(async (kind: CatalogueKind, { url }: { url?: string }) => {
      const rows = await listRows(kind, url, context);
      if (context.json) await context.write(`${JSON.stringify({ kind, rows })}\n`);
      else await context.write(formatRows(kind, rows, context.isTerminal ? terminalWidth : undefined));
    });
}

/** In a pipe a row is a line. */
function formatRows(kind: CatalogueKind, rows: readonly CatalogueRow[], width: number | undefined): string {
  return printTable(filledColumns(kind, rows), rows, undefined, width);
}

/** A column without a value in any row says nothing and takes room. */
function filledColumns(kind: CatalogueKind, rows: readonly CatalogueRow[]): string[] {
  const hasValue = (column: string) => rows.length === 0 || rows.some((row) => printValue(row[column]) !== '');
  return columnsOf[kind].filter(hasValue);
}

async function listRows(kind: CatalogueKind, url: string | undefined, context: Context): Promise<readonly CatalogueRow[]> {
  if (url === undefined)
    return await withApplied(context, (...parts) => listCatalogue(parts[0], kind, factsHere(context, parts)));
  return await withServer(url, context, (server) => server.catalogue(kind));
}
