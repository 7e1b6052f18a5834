/** `featherflight validate drift`: whether what is served, or saved, is still like it was, or like what a model was trained on. */
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { openDatasets } from '../dataset/datasets.ts';
import { createDrift } from '../serve/drift-check.ts';
import { openLogReader } from '../serve/log-files.ts';
import type { DriftProgress } from '../validate/drift/check.ts';
import type { DriftReport } from '../validate/drift/report.ts';
import type { SavedReference } from '../validate/drift/request.ts';
import { openReports } from '../validate/reports.ts';
import type { Context } from './context.ts';
import { openEntityFrame, withScratchEngine } from './entity-frame.ts';
import { endWithFailure } from './exit.ts';
import { formatDrift } from './format-drift.ts';
import { withOnlineStore } from './online.ts';
import { runThere, showProgress, urlOption, withServer } from './remote.ts';

interface Options {
  readonly from?: string;
  readonly to?: string;
  readonly referenceFrom?: string;
  readonly referenceTo?: string;
  readonly referenceDataset?: SavedReference;
  readonly currentDataset?: SavedReference;
  readonly training?: string;
  readonly columns?: Readonly<Record<string, string>>;
  readonly timestamp?: string;
  readonly timezone?: string;
  readonly features?: readonly string[];
  readonly service?: string;
  readonly threshold?: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly minKeys?: number;
  readonly sample?: number;
  readonly url?: string;
}

export function driftCommand(context: Context): Command {
  return new Command('drift')
    .description('compare what was served, or a dataset, with a period, dataset or file; exit status 0 only for PASS')
    .option('--from <instant>', 'what was served from then on; default: 24 hours before --to')
    .option('--to <instant>', 'what was served before then; default: now')
    .option('--reference-from <instant>', 'compare with a period from then on; default: one as long')
    .option('--reference-to <instant>', 'compare with a period before then; default: --from')
    .option('--reference-dataset <name>', 'compare with a saved dataset: NAME@VERSION or NAME@VERSION:SPLIT', parseSaved)
    .option('--current-dataset <name>', 'compare a saved dataset, not what was served', parseSaved)
    .option('--training <file>', 'compare with a training set: .parquet, .csv, .json, .jsonl or .arrow')
    .option('--columns <list>', 'of the training set: column=view:feature,…', parseColumns)
    .option('--timestamp <column>', 'of the training set: the column with the time of each row')
    .option('--timezone <zone>', 'IANA zone of a timestamp column without one')
    .option('--features <list>', 'only these: view:feature,…', (text: string) => text.split(','))
    .option('--service <name>', 'only the features of a service')
    .option('--threshold <spec>', 'view:feature=psi:0.3,mean:1; may be repeated', parseThreshold, {})
    .option('--min-keys <n>', 'keys that a feature needs on both sides; default 50', parseCount)
    .option('--sample <n>', 'rows of a dataset, or of each shape of the log, at most; default 100000', parseCount)
    .addOption(urlOption(context))
    .action((options: Options) => checkDrift(context, options));
}

async function checkDrift(context: Context, options: Options): Promise<void> {
  const { url, training, threshold, minKeys, referenceFrom, referenceTo, referenceDataset, currentDataset, ...given } = options;
  const input = {
    ...given,
    reference_from: referenceFrom,
    reference_to: referenceTo,
    reference: referenceDataset,
    current: currentDataset,
    ...{ thresholds: threshold, min_keys: minKeys },
  };
  const show = ({ rows }: DriftProgress) => context.progress(`${rows.toLocaleString('en')} rows`);
  const report = await (url === undefined
    ? checkHere(context, training, input, show)
    : checkThere(url, context, training, input, show));
  context.progress('');
  await context.write(context.json ? `${JSON.stringify(report)}\n` : formatDrift(report));
  if (report.result !== 'PASS') endWithFailure();
}

async function checkHere(
  context: Context,
  training: string | undefined,
  input: object,
  show: (progress: DriftProgress) => void,
): Promise<DriftReport> {
  return await withOnlineStore(context, async ({ config, registry, history, store }) => {
    const log = openLogReader({ config, history, store }, registry.project);
    // What a server holds in memory is not seen from here.
    const datasets = await openDatasets(config.storage);
    const parts = { config, history, datasets, registry: () => registry, log, flushLog: async () => {} };
    const check = createDrift(parts, async ({ path }) => {
      const { schema, batches } = await openEntityFrame(history.engine, path as string, context.directory);
      return { schema, batches: (_, signal) => batches(signal), close: async () => {} };
    });
    const request = { ...input, path: training };
    const report = await check.run(request, context.interruption(), (progress) => show(progress as DriftProgress));
    await openReports({ directory: join(config.storage, 'reports') }).keep(report);
    return report as DriftReport;
  });
}

async function checkThere(
  url: string,
  context: Context,
  training: string | undefined,
  input: object,
  show: (progress: DriftProgress) => void,
): Promise<DriftReport> {
  const request = { kind: 'drift', ...input };
  if (training === undefined) return (await runThere(url, context, { type: 'validate', input: request }, show)) as DriftReport;
  const signal = context.interruption();
  return await withServer(url, context, (server) =>
    withScratchEngine(async (engine) => {
      const { schema, batches } = await openEntityFrame(engine, training, context.directory);
      async function* send() {
        for await (const { length, columns, dictionaries } of batches(signal))
          yield { batch: { schema, length, columns }, dictionaries };
      }
      const upload = await server.upload({ schema, batches: send() }, { signal });
      const onResult = (result: unknown) => showProgress(result, show);
      const last = await server.action('validate', { ...request, upload }, { signal, onResult });
      return (last as { readonly done: DriftReport }).done;
    }),
  );
}

function parseSaved(text: string): SavedReference {
  const [, dataset, split] = /^([^:]+)(?::([^:]+))?$/.exec(text) ?? [];
  if (dataset === undefined) throw new InvalidArgumentError('write NAME@VERSION or NAME@VERSION:SPLIT, such as ranker@3:train.');
  return { dataset, split };
}

function parseColumns(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    text.split(',').map((item) => {
      const [, column, reference] = /^([^=]+)=([^=]+:[^=]+)$/.exec(item) ?? [];
      if (column === undefined || reference === undefined) throw new InvalidArgumentError('write column=view:feature,….');
      return [column, reference];
    }),
  );
}

function parseThreshold(text: string, known: NonNullable<Options['threshold']>): NonNullable<Options['threshold']> {
  const [, name, parts = ''] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  const given = parts.split(',').map((part) => part.split(':') as [string, string | undefined]);
  if (name === undefined || !given.every(([, number]) => number !== undefined && Number(number) >= 0))
    throw new InvalidArgumentError('write view:feature=MEASURE:NUMBER,…, such as activity:score=psi:0.3,mean:1.');
  return { ...known, [name]: Object.fromEntries(given.map(([measure, number]) => [measure, Number(number)])) };
}

function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError('it is a whole number above 0.');
  return count;
}
