/** `featherflight get-historical-features`: a training set from a file to a file, by what is applied. */
import { Command } from 'commander';
import { answerExtensions, createAnswerFile, createTextWriter, isAnswerPath } from './answer-file.ts';
import type { Context } from './context.ts';
import { type EntityFrame, openEntityFrame, withScratchEngine } from './entity-frame.ts';
import { refuseUsage } from './exit.ts';
import { withApplied } from './local.ts';
import { urlOption, withServer } from './remote.ts';
import { type Answer, answerHere, answerThere, type RetrievalReport, writeAnswer } from './retrieval.ts';
import { addRetrievalOptions, makeRequest, printReport, type RetrievalOptions } from './retrieval-options.ts';
import { tellWarnings } from './tell-warnings.ts';

interface Options extends RetrievalOptions {
  readonly entities: string;
  readonly service?: string;
  readonly features?: readonly string[];
  readonly out: string;
  readonly url?: string;
}

export function getHistoricalFeaturesCommand(context: Context): Command {
  const command = new Command()
    .requiredOption('--entities <file>', 'the entity frame: .parquet, .csv, .json, .jsonl or .arrow')
    .option('--service <name>', 'a feature service')
    .option('--features <list>', 'view:feature,view@prefix:feature,… instead of a service', (text) => text.split(','))
    .requiredOption(
      '--out <file>',
      `the answer: ${answerExtensions}, or - for CSV (--json: a document a line) to standard output`,
    )
    .addOption(urlOption(context));
  return addRetrievalOptions(command).action(async (options: Options) => {
    if ((options.service === undefined) === (options.features === undefined)) {
      refuseUsage(command, 'name either --service or --features');
    }
    if (options.out !== '-' && !isAnswerPath(options.out)) {
      refuseUsage(command, `--out "${options.out}" must end in ${answerExtensions}, or be -`);
    }
    const report = await retrieve(options, context, context.interruption());
    tellWarnings(context, report.warnings);
    const text = printReport(report.rows, report.total_seconds, report.features);
    if (options.out === '-') context.say(text);
    else await context.write(context.json ? `${JSON.stringify({ out: options.out, report })}\n` : `${options.out}: ${text}\n`);
  });
}

async function retrieve(options: Options, context: Context, signal: AbortSignal): Promise<RetrievalReport> {
  const { out, url, entities } = options;
  const request = makeRequest(options, { features: options.features, service: options.service });
  const write = (answer: Answer, frame: EntityFrame) =>
    writeAnswer(
      answer,
      async (schema) => {
        if (out === '-') return createTextWriter(schema, context.json ? 'jsonl' : 'csv', context.write);
        return await createAnswerFile(out, context.directory, schema);
      },
      (rows) => context.progress(showProgress(rows, frame.rows)),
    );
  if (url === undefined) {
    return await withApplied(context, async (registry, history) => {
      const frame = await openEntityFrame(history.engine, entities, context.directory);
      return await answerHere(history, registry, request, frame, signal, (answer) => write(answer, frame));
    });
  }
  return await withServer(url, context, (server) =>
    withScratchEngine(async (engine) => {
      const frame = await openEntityFrame(engine, entities, context.directory);
      return await write(await answerThere(server, request, frame, signal), frame);
    }),
  );
}

function showProgress(rows: number, total: number | undefined): string {
  if (total === undefined || total === 0) return `${rows.toLocaleString('en')} rows`;
  return `${Math.floor((100 * rows) / total)} % of ${total.toLocaleString('en')} rows`;
}
