/** `featherflight get-historical-features`: a training set from files to a file, by what is applied. */
import { join } from 'node:path';
import { Command } from 'commander';
import { answerExtensions, createAnswerFile, createTextWriter, isAnswerPath } from './answer-file.ts';
import type { Context } from './context.ts';
import { refuseUsage } from './exit.ts';
import { withApplied } from './local.ts';
import { retrieve } from './retrieval.ts';
import { addRetrievalOptions, makeRequest, printReport, type RetrievalOptions } from './retrieval-options.ts';

interface Options extends RetrievalOptions {
  readonly entities: string;
  readonly service?: string;
  readonly features?: readonly string[];
  readonly out: string;
}

export function getHistoricalFeaturesCommand(context: Context): Command {
  const command = new Command()
    .requiredOption('--entities <file>', 'the entity frame: .parquet, .csv, .json, .jsonl or .arrow')
    .option('--service <name>', 'a feature service')
    .option('--features <list>', 'view:feature,view@prefix:feature,… instead of a service', (text) => text.split(','))
    .requiredOption(
      '--out <file>',
      `where the answer goes: ${answerExtensions}, or - for CSV (with --json: a document a line) to standard output`,
    );
  return addRetrievalOptions(command).action(async (options: Options) => {
    if ((options.service === undefined) === (options.features === undefined)) {
      refuseUsage(command, 'name either --service or --features');
    }
    const toOutput = options.out === '-';
    if (!toOutput && !isAnswerPath(options.out))
      refuseUsage(command, `--out "${options.out}" must end in ${answerExtensions}, or be -`);
    const interrupted = context.interruption();
    const report = await withApplied(context, (registry, history, config) =>
      retrieve({
        history,
        registry,
        request: makeRequest(options, { features: options.features, service: options.service }),
        entities: options.entities,
        directory: context.directory,
        signal: interrupted,
        open: async (schema) =>
          toOutput
            ? createTextWriter(schema, context.json ? 'jsonl' : 'csv', context.write)
            : await createAnswerFile(options.out, context.directory, schema, {
                memory: config.offlineEngine.memory,
                spillDirectory: join(config.state, 'spill'),
              }),
        progress: (rows, total) => context.progress(showProgress(rows, total)),
      }),
    );
    if (toOutput) context.say(printReport(report.rows, report.total_seconds, report.features));
    else if (context.json) await context.write(`${JSON.stringify({ out: options.out, report })}\n`);
    else await context.write(`${options.out}: ${printReport(report.rows, report.total_seconds, report.features)}\n`);
  });
}

function showProgress(rows: number, total: number | undefined): string {
  if (total === undefined || total === 0) return `${rows.toLocaleString('en')} rows`;
  return `${Math.floor((100 * rows) / total)} % of ${total.toLocaleString('en')} rows`;
}
