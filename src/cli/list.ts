/** `featherflight list [KIND]`: what is applied, as a table. */
import { Argument, Command } from 'commander';
import { type CatalogueKind, listCatalogue } from '../serve/catalogue.ts';
import { freshnessOf, kindWords } from './catalogue.ts';
import type { Context } from './context.ts';
import { withApplied } from './local.ts';
import { printTable } from './print-table.ts';

const columnsOf: Readonly<Record<CatalogueKind, readonly string[]>> = {
  entities: ['name', 'join_keys', 'owner', 'description'],
  sources: ['name', 'format', 'paths', 'event_timestamp', 'timezone', 'owner', 'description'],
  feature_views: ['name', 'entities', 'source', 'ttl', 'delay', 'newest_event', 'owner', 'description'],
  feature_services: ['name', 'features', 'owner', 'description'],
  features: ['name', 'type', 'default', 'newest_event', 'owner', 'description'],
};

export function listCommand(context: Context): Command {
  return new Command()
    .addArgument(new Argument('[kind]', 'what to list').choices(Object.keys(kindWords)).default('features'))
    .action(async (word: string) => {
      const kind = kindWords[word] as CatalogueKind;
      const rows = await withApplied(context, (registry, history) => listCatalogue(registry, kind, freshnessOf(history)));
      await context.write(context.json ? `${JSON.stringify({ kind, rows })}\n` : printTable(columnsOf[kind], rows));
    });
}
