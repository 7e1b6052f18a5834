/** `featherflight run-sql SOURCE`: the ticks of an SQL source, here or by a server. */
import { Command } from 'commander';
import type { RunSqlProgress, RunSqlReport } from '../http/run-sql-requests.ts';
import { createRunTicks } from '../materialize/run-ticks.ts';
import { silentLogger } from '../observe.ts';
import { auditTicks } from '../serve/acts/materialize.ts';
import { type RunSqlInput, runSql } from '../serve/run-sql-action.ts';
import type { Context } from './context.ts';
import { withOnlineWriter } from './online.ts';
import { runThere, urlOption } from './remote.ts';

interface Options {
  readonly start?: string;
  readonly end?: string;
  readonly again?: true;
  readonly url?: string;
}

export function runSqlCommand(context: Context): Command {
  return new Command()
    .argument('<source>', 'an SQL source')
    .option('--start <instant>', 'ticks from then on; default: those after the last that has run')
    .option('--end <instant>', 'ticks until then, inclusive; default: now')
    .option('--again', 'run ticks again that have run')
    .addOption(urlOption(context))
    .action(async (source: string, { start, end, again, url }: Options) => {
      const input = { source, start, end, again };
      const show = (progress: RunSqlProgress) => context.progress(describeTickLine(progress));
      const report =
        url === undefined
          ? await runHere(context, input, show)
          : ((await runThere(url, context, { type: 'run_sql', input }, show)) as RunSqlReport);
      context.progress('');
      await context.write(context.json ? `${JSON.stringify(report)}\n` : formatReport(report));
    });
}

async function runHere(context: Context, input: RunSqlInput, show: (progress: RunSqlProgress) => void): Promise<RunSqlReport> {
  return await withOnlineWriter(context, 'run-sql', async ({ registry, history }, audit) => {
    const runTicks = auditTicks(audit, createRunTicks({ history, registry: () => registry, logger: silentLogger }));
    return await runSql(runTicks, input, context.interruption(), show);
  });
}

/** A line while ticks run. */
export function describeTickLine({ source, tick, done, of }: RunSqlProgress): string {
  return `${source}: ${done} of ${of} ticks, ${tick}`.slice(0, 79);
}

function formatReport({ source, first, last, ran, skipped, rows, not_due: notDue, seconds }: RunSqlReport): string {
  const waiting = notDue === 0 ? '' : `; ${notDue} not due yet`;
  if (first === null) return `${source}: no tick to run${waiting}\n`;
  const before = skipped === 0 ? '' : `; ${skipped} had run before`;
  const work = `${ran} ${ran === 1 ? 'tick' : 'ticks'} ran with ${rows} rows in ${seconds.toFixed(1)} s${before}${waiting}`;
  return `${source}, ${first} to ${last}\n${work}\n`;
}
