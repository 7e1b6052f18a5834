/** `featherflight usage [NAME]`: who read which feature last, and which feature service. */
import { Command } from 'commander';
import { didYouMean, FeatureStoreError } from '../errors.ts';
import { type CatalogueRow, listCatalogue } from '../serve/catalogue.ts';
import type { Context } from './context.ts';
import { terminalWidth } from './fold-line.ts';
import { withApplied } from './local.ts';
import { printTable } from './print-table.ts';
import { urlOption, withServer } from './remote.ts';
import { usageHere } from './usage-here.ts';

export function usageCommand(context: Context): Command {
  return new Command()
    .argument('[name]', 'a view, view:feature or a feature service; without one everything')
    .addOption(urlOption(context))
    .action(async (name: string | undefined, { url }: { url?: string }) => {
      const rows = readsOf(named(await readRows(url, context), name));
      if (context.json) await context.write(`${JSON.stringify({ rows })}\n`);
      else await context.write(formatReads(rows, context.isTerminal ? terminalWidth : undefined));
    });
}

type Row = CatalogueRow & { readonly kind: 'feature' | 'feature service' };

/** A read that nobody has made has neither reader nor time. */
interface Read {
  readonly kind: Row['kind'];
  readonly name: string;
  readonly reader: string | null;
  readonly last_read: string | null;
}

async function readRows(url: string | undefined, context: Context): Promise<readonly Row[]> {
  const list = async (rowsOf: (kind: 'features' | 'feature_services') => Promise<readonly CatalogueRow[]>) => [
    ...(await rowsOf('features')).map((row): Row => ({ ...row, kind: 'feature' })),
    ...(await rowsOf('feature_services')).map((row): Row => ({ ...row, kind: 'feature service' })),
  ];
  if (url !== undefined) return await withServer(url, context, (server) => list((kind) => server.catalogue(kind)));
  return await withApplied(context, async (registry, _history, store, config) => {
    const usage = await usageHere(config, registry, store).read();
    // Of sources nothing is asked.
    const facts = Object.assign(async () => undefined, { usage: async () => usage });
    return await list((kind) => listCatalogue(registry, kind, facts));
  });
}

/** NOT_FOUND names the nearest. */
function named(rows: readonly Row[], name: string | undefined): readonly Row[] {
  if (name === undefined) return rows;
  const found = rows.filter((row) => row.name === name || row.view === name);
  if (found.length > 0) return found;
  const names = [...new Set(rows.flatMap((row) => [row.name, ...(row.view === undefined ? [] : [String(row.view)])]))];
  const message = `there is no view, feature or feature service "${name}"${didYouMean(name, names)}`;
  throw new FeatureStoreError('NOT_FOUND', message, { details: { name } });
}

/** UNAVAILABLE where it is not known: that is not the same as nobody. */
function readsOf(rows: readonly Row[]): readonly Read[] {
  return rows.flatMap(({ kind, name, readers }): Read[] => {
    if (readers == null) {
      throw new FeatureStoreError(
        'UNAVAILABLE',
        'who reads what is not known now: the online store, which keeps it, does not answer',
      );
    }
    const all = Object.entries(readers as Readonly<Record<string, string>>);
    if (all.length === 0) return [{ kind, name, reader: null, last_read: null }];
    return all.map(([reader, at]) => ({ kind, name, reader, last_read: at }));
  });
}

function formatReads(reads: readonly Read[], width: number | undefined): string {
  const shown = reads.map((read) => ({ ...read, reader: read.reader ?? 'nobody', last_read: read.last_read ?? '' }));
  return printTable(['name', 'reader', 'last_read'], shown, ['NAME', 'READER', 'LAST READ'], width);
}
