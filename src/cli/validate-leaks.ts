/** `featherflight validate leaks`: whether features, or a table made elsewhere, rest on what happened after their rows' time. */
import { join } from 'node:path';
import { Command } from 'commander';
import { parseLeakRequest, runLeakAudit } from '../serve/leak-audit.ts';
import type { LeakProgress, LeakReport } from '../validate/leaks/report.ts';
import { openReports } from '../validate/reports.ts';
import type { Context } from './context.ts';
import { openEntityFrame, withScratchEngine } from './entity-frame.ts';
import { endWithFailure, refuseUsage } from './exit.ts';
import { formatLeaks } from './format-leaks.ts';
import { withApplied } from './local.ts';
import { showProgress, urlOption, withServer } from './remote.ts';

interface Options {
  readonly entities: string;
  readonly service?: string;
  readonly features?: readonly string[];
  readonly table?: true;
  readonly columns?: Readonly<Record<string, string>>;
  readonly label?: readonly string[];
  readonly delta?: string;
  readonly timestamp?: string;
  readonly timezone?: string;
  readonly maxRows?: number;
  readonly url?: string;
}

export function leaksCommand(context: Context): Command {
  const command = new Command('leaks');
  const readColumns = (text: string, known: Options['columns'] = {}) => parseColumns(text, known, command);
  return command
    .description('look for values that rest on the future; exit status 0 only for PASS')
    .requiredOption('--entities <file>', 'the frame: .parquet, .csv, .json, .jsonl or .arrow')
    .option('--service <name>', 'the features of a service')
    .option('--features <list>', 'view:feature,… instead of a service', (text) => text.split(','))
    .option('--table', 'the frame holds features already: audit its columns')
    .option('--columns <list>', 'column=view:feature,… where names do not say it', readColumns)
    .option('--label <column...>', 'columns that are to be predicted')
    .option('--delta <duration>', 'tell what changes so long before; default 1h')
    .option('--timestamp <column>', 'column with the time of each row')
    .option('--timezone <zone>', 'IANA zone of a timestamp column without one')
    .option('--max-rows <n>', 'rows to look at, about; default 20000', Number)
    .addOption(urlOption(context))
    .action(async (options: Options) => await auditFile(context, options, command));
}

async function auditFile(context: Context, options: Options, command: Command): Promise<void> {
  const { entities, label, maxRows, url, ...given } = options;
  if (options.table !== true && (options.service === undefined) === (options.features === undefined)) {
    refuseUsage(command, 'name either --service or --features, or say --table');
  }
  const input = { ...given, labels: label ?? [], ...(maxRows === undefined ? {} : { max_rows: maxRows }) };
  const request = parseLeakRequest(input);
  const show = ({ step, of }: LeakProgress) => context.progress(`step ${step} of ${of}`);
  const report =
    url === undefined ? await auditHere(context, entities, request, show) : await auditThere(url, context, entities, input, show);
  context.progress('');
  await context.write(context.json ? `${JSON.stringify(report)}\n` : formatLeaks(report));
  if (report.result !== 'PASS') endWithFailure();
}

async function auditHere(
  context: Context,
  entities: string,
  request: ReturnType<typeof parseLeakRequest>,
  show: (progress: LeakProgress) => void,
): Promise<LeakReport> {
  return await withApplied(context, async (registry, history, _, config) => {
    const frame = await openEntityFrame(history.engine, entities, context.directory);
    const parts = { config, history, registry: () => registry };
    const report = await runLeakAudit(parts, request, frame, context.interruption(), show);
    await openReports({ directory: join(config.storage, 'reports') }).keep(report);
    return report;
  });
}

async function auditThere(
  url: string,
  context: Context,
  entities: string,
  input: object,
  show: (progress: LeakProgress) => void,
): Promise<LeakReport> {
  const signal = context.interruption();
  return await withServer(url, context, (server) =>
    withScratchEngine(async (engine) => {
      const { schema, batches } = await openEntityFrame(engine, entities, context.directory);
      async function* send() {
        for await (const { length, columns, dictionaries } of batches(signal))
          yield { batch: { schema, length, columns }, dictionaries };
      }
      const upload = await server.upload({ schema, batches: send() }, { signal });
      const onResult = (result: unknown) => showProgress(result, show);
      const last = await server.action('validate', { kind: 'leaks', ...input, upload }, { signal, onResult });
      return (last as { readonly done: LeakReport }).done;
    }),
  );
}

function parseColumns(text: string, known: Readonly<Record<string, string>>, command: Command): Readonly<Record<string, string>> {
  const columns = { ...known };
  for (const item of text.split(',')) {
    const at = item.indexOf('=');
    if (at < 1 || !item.slice(at + 1).includes(':')) {
      refuseUsage(command, `--columns "${item}" is not column=view:feature`);
    }
    columns[item.slice(0, at)] = item.slice(at + 1);
  }
  return columns;
}
