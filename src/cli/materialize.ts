/** `featherflight materialize` and `materialize-incremental`: views into the online store, here or by a server. */
import { Command } from 'commander';
import { fitToday } from '../materialize/fitted-today.ts';
import { createMaterialize } from '../materialize/materialize.ts';
import { createRunTicks } from '../materialize/run-ticks.ts';
import { silentLogger } from '../observe.ts';
import { auditMaterialize, auditTicks } from '../serve/acts/materialize.ts';
import { type MaterializeInput, tellMaterialize } from '../serve/materialize-action.ts';
import type { Context } from './context.ts';
import { withOnlineWriter } from './online.ts';
import { printTable } from './print-table.ts';
import { runThere, urlOption } from './remote.ts';

type Progress = Parameters<Parameters<typeof tellMaterialize>[3]>[0];
type Report = Awaited<ReturnType<typeof tellMaterialize>>;
interface Options {
  readonly start?: string;
  readonly end?: string;
  readonly url?: string;
}

export function materializeCommand(context: Context): Command {
  return new Command()
    .argument('[views...]', 'feature views; default: all')
    .requiredOption('--start <instant>', 'only rows that happened from then on, all of them sent again')
    .requiredOption('--end <instant>', 'only rows that happened until then, inclusive; ISO, such as 2026-01-31T00:00:00Z')
    .addOption(urlOption(context))
    .action((views: string[], options: Options) => materialize(context, views, options));
}

export function materializeIncrementalCommand(context: Context): Command {
  return new Command()
    .argument('[views...]', 'feature views; default: all')
    .option('--end <instant>', 'only rows that happened until then, inclusive; default: now')
    .addOption(urlOption(context))
    .action((views: string[], options: Options) => materialize(context, views, options));
}

async function materialize(context: Context, views: string[], { start, end, url }: Options): Promise<void> {
  const input: MaterializeInput = { start, end, ...(views.length === 0 ? {} : { views }) };
  const show = (progress: Progress) => context.progress(describeLine(progress));
  const report =
    url === undefined
      ? await runHere(context, input, show)
      : ((await runThere(url, context, { type: 'materialize', input }, show)) as Report);
  context.progress('');
  await context.write(context.json ? `${JSON.stringify(report)}\n` : formatReport(report));
}

async function runHere(context: Context, input: MaterializeInput, show: (progress: Progress) => void): Promise<Report> {
  return await withOnlineWriter(context, 'materialize', async ({ registry: applied, history, store }, audit) => {
    const registry = () => applied;
    const parts = { history, store, registry, logger: silentLogger };
    const signal = context.interruption();
    // A server does this by itself; without one, online requests would go on with the numbers of the last day.
    const { computed, failed } = await fitToday(parts, signal);
    if (computed.length > 0)
      await audit.done(audit.actor, 'fit_defaults', { names: computed, what: `computed ${computed.join(', ')}` });
    if (failed.length > 0)
      context.say(`today's fitted defaults of ${failed.join(', ')} could not be computed; the last are served`);
    const runTicks = auditTicks(audit, createRunTicks(parts), { isPart: true });
    const materialize = auditMaterialize(audit, createMaterialize({ ...parts, runTicks }), registry);
    return await tellMaterialize(materialize, input, signal, show);
  });
}

function describeLine({ view, scanned, of, keys }: Progress): string {
  const share = of === 0 ? 100 : Math.floor((100 * scanned) / of);
  return `${view}: ${share} % of ${of.toLocaleString('en')} rows read, ${keys.toLocaleString('en')} keys`.slice(0, 79);
}

function formatReport({ end, seconds, views }: Report): string {
  const columns = ['view', 'keys', 'written', 'unchanged', 'skipped', 'erased'];
  return `up to ${end} in ${seconds.toFixed(1)} s\n${printTable(columns, views)}`;
}
