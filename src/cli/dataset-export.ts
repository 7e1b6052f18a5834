/** `featherflight dataset export`: the rows of a version in one file, for whoever has no client. */
import { join } from 'node:path';
import { Command } from 'commander';
import type { Schema } from '../arrow/schema.ts';
import { ownWriter } from '../audit/audit.ts';
import { type Dataset, openDatasets } from '../dataset/datasets.ts';
import { type DatasetManifest, schemaOf } from '../dataset/manifest.ts';
import { formatReference } from '../dataset/name.ts';
import { verifyFile } from '../dataset/verify.ts';
import { didYouMean, FeatureStoreError } from '../errors.ts';
import type { Engine } from '../offline/duckdb/engine.ts';
import { openFrameFile } from '../offline/frame/open-frame-file.ts';
import { loadConfig } from '../registry/load.ts';
import { auditExport } from '../serve/acts/datasets.ts';
import { plainReader } from '../serve/frame.ts';
import { type AnswerBatch, answerExtensions, createAnswerFile, isAnswerPath } from './answer-file.ts';
import { withAudit } from './audit-here.ts';
import type { Context } from './context.ts';
import { withDatasets } from './datasets-here.ts';
import { withScratchEngine } from './entity-frame.ts';
import { refuseUsage } from './exit.ts';
import { urlOption, withServer } from './remote.ts';

interface Options {
  readonly out: string;
  readonly split?: string;
  readonly url?: string;
}

const batchRows = 65_536;

export function exportCommand(context: Context): Command {
  const command = new Command('export')
    .description('write the rows of a version to a file')
    .argument('<dataset>', 'NAME@VERSION, or NAME for the newest')
    .requiredOption('--out <file>', `the file: ${answerExtensions}`)
    .option('--split <name>', 'only these rows; default: all')
    .addOption(urlOption(context));
  return command.action(async (reference: string, options: Options) => {
    const { out, split, url } = options;
    if (!isAnswerPath(out)) refuseUsage(command, `--out "${out}" must end in ${answerExtensions}`);
    const { dataset, rows } =
      url === undefined ? await exportHere(context, reference, options) : await exportThere(context, url, reference, options);
    context.progress('');
    const report = { dataset, split: split ?? null, out, rows };
    await context.write(
      context.json ? `${JSON.stringify(report)}\n` : `${out}: ${rows.toLocaleString('en')} rows of ${dataset}\n`,
    );
  });
}

interface Exported {
  readonly dataset: string;
  readonly rows: number;
}

async function exportHere(context: Context, reference: string, { out, split }: Options): Promise<Exported> {
  const config = await loadConfig(context.directory, context.environment);
  return await withAudit(context, config, ownWriter, (audit) =>
    auditExport(audit, { dataset: reference, split, out }, () => exportRows(context, config.storage, reference, { out, split })),
  );
}

async function exportRows(
  context: Context,
  storage: string,
  reference: string,
  { out, split }: Pick<Options, 'out' | 'split'>,
): Promise<Exported> {
  const dataset = await (await openDatasets(storage)).open(reference);
  try {
    const { manifest } = dataset;
    const splits = chooseSplits(manifest, split);
    const rows = await withScratchEngine((engine) =>
      writeFile(context, out, schemaOf(manifest), readFiles(engine, dataset, splits, context.interruption())),
    );
    return { dataset: formatReference(manifest), rows };
  } finally {
    dataset.release();
  }
}

/** Each file is looked at before its rows are written: what was changed is not handed on. */
async function* readFiles(
  engine: Engine,
  { manifest, directory }: Dataset,
  splits: DatasetManifest['splits'],
  signal: AbortSignal,
): AsyncGenerator<AnswerBatch> {
  for (const file of splits.flatMap(({ files }) => files)) {
    await verifyFile(formatReference(manifest), directory, file);
    const opened = await openFrameFile(engine, { file: join(directory, file.path), name: file.path, root: directory });
    for await (const { columns, length, dictionaries } of opened.batches(batchRows, signal))
      yield { columns, length, dictionaries, plain: plainReader(columns, dictionaries) };
  }
}

/** A server gives one split after the other. */
async function exportThere(context: Context, url: string, reference: string, { out, split }: Options): Promise<Exported> {
  const signal = context.interruption();
  const manifest = await withDatasets(context, url, (door) => door.describe(reference));
  const dataset = formatReference(manifest);
  const splits = chooseSplits(manifest, split);
  const schema = schemaOf(manifest);
  const columns = schema.fields.map((field) => field.name);
  const rows = await withServer(url, context, async (server) => {
    async function* read(): AsyncGenerator<AnswerBatch> {
      for (const { name } of splits) {
        const found = await server.getDataset({ dataset, split: name, columns }, { signal });
        for await (const { batch, dictionaries } of found.batches()) {
          const { length } = batch;
          yield { columns: batch.columns, length, dictionaries, plain: plainReader(batch.columns, dictionaries) };
        }
      }
    }
    return await writeFile(context, out, schema, read());
  });
  return { dataset, rows };
}

function chooseSplits({ splits }: DatasetManifest, wanted: string | undefined): DatasetManifest['splits'] {
  if (wanted === undefined) return splits;
  const found = splits.filter(({ name }) => name === wanted);
  if (found.length > 0) return found;
  const names = splits.map(({ name }) => name);
  throw new FeatureStoreError(
    'NOT_FOUND',
    `there is no split "${wanted}"${didYouMean(wanted, names)} (there are ${names.join(', ')})`,
    { details: { split: wanted, splits: names } },
  );
}

async function writeFile(context: Context, out: string, schema: Schema, batches: AsyncIterable<AnswerBatch>): Promise<number> {
  const writer = await createAnswerFile(out, context.directory, schema);
  let rows = 0;
  try {
    for await (const batch of batches) {
      await writer.write(batch);
      rows += batch.length;
      context.progress(`${rows.toLocaleString('en')} rows`);
    }
    await writer.finish();
    return rows;
  } catch (error) {
    await writer.abandon();
    throw error;
  }
}
