/** `featherflight types`: the applied definitions as types for the Node client. */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { FeatureStoreError } from '../errors.ts';
import { listCatalogue } from '../serve/catalogue.ts';
import type { Context } from './context.ts';
import { withApplied } from './local.ts';
import { urlOption, withServer } from './remote.ts';
import { type Catalogue, type Row, writeTypes } from './write-types.ts';

interface Options {
  readonly out: string;
  readonly int64: 'bigint' | 'number';
  readonly url?: string;
}

export function typesCommand(context: Context): Command {
  return new Command()
    .requiredOption('--out <file>', 'where to write them, such as features.d.ts; - is standard output')
    .addOption(
      new Option('--int64 <type>', 'what the client is made to give for int64').choices(['bigint', 'number']).default('bigint'),
    )
    .addOption(urlOption(context))
    .action(async ({ out, int64, url }: Options) => {
      const text = writeTypes(url === undefined ? await readHere(context) : await readThere(url, context), int64);
      if (out === '-') return await context.write(text);
      await writeFile(resolve(context.directory, out), text).catch((cause: Error) => {
        throw new FeatureStoreError('INVALID_ARGUMENT', `cannot write ${out}: ${cause.message}`, { cause });
      });
      await context.write(context.json ? `${JSON.stringify({ out })}\n` : `wrote ${out}\n`);
    });
}

async function readHere(context: Context): Promise<Catalogue> {
  return await withApplied(context, async (registry) =>
    readCatalogue((kind) => listCatalogue(registry, kind, async () => undefined)),
  );
}

async function readThere(url: string, context: Context): Promise<Catalogue> {
  return await withServer(url, context, (server) => readCatalogue((kind) => server.catalogue(kind)));
}

async function readCatalogue(list: (kind: string) => Promise<readonly Row[]>): Promise<Catalogue> {
  const [features = [], views = [], services = []] = await Promise.all(
    ['features', 'feature_views', 'feature_services'].map(list),
  );
  return { features, views, services };
}
