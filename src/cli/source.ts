/** `featherflight source list|set-aside|reset`: streams of event sources, by a server or as the state has them. */
import { Command, InvalidArgumentError } from 'commander';
import type { ShownReset, ShownSetAsideReport, ShownStream } from '../http/stream-answers.ts';
import { setAsideRequestSchema } from '../http/stream-requests.ts';
import { auditReset } from '../serve/acts/streams.ts';
import { showSetAside } from '../serve/show-set-aside.ts';
import { describeReset, readReset } from '../serve/stream-requests.ts';
import { findEventSource } from '../serve/stream-status.ts';
import type { FillProgress } from '../stream/fill-features.ts';
import type { Context } from './context.ts';
import { endWithFailure } from './exit.ts';
import { describeFilling, formatFilled, formatSetAside, formatStreams } from './format-streams.ts';
import { withApplied } from './local.ts';
import { withOnlineWriter } from './online.ts';
import { runThere, urlOption, withServer } from './remote.ts';
import { resetHere, streamsHere } from './streams-here.ts';

export function sourceCommand(context: Context): Command {
  const command = new Command();
  for (const own of [listCommand(context), setAsideCommand(context), resetCommand(context)]) {
    command.addCommand(own.copyInheritedSettings(command).exitOverride());
  }
  return command.helpCommand(false);
}

function listCommand(context: Context): Command {
  return new Command('list')
    .description('how far each partition of each stream is')
    .argument('[source]', 'an event source; default: all')
    .addOption(urlOption(context))
    .action(async (source: string | undefined, { url }: { url?: string }) => {
      const streams = url === undefined ? await listHere(context, source) : await listThere(url, context, source);
      await context.write(context.json ? `${JSON.stringify({ streams })}\n` : formatStreams(streams));
    });
}

async function listHere(context: Context, source: string | undefined): Promise<readonly ShownStream[]> {
  return await withApplied(context, (registry, _history, store, config) =>
    streamsHere({ context, config, registry, store }).list(source),
  );
}

async function listThere(url: string, context: Context, source: string | undefined): Promise<readonly ShownStream[]> {
  const answer = await withServer(url, context, (server) => server.action('streams', { source }));
  return (answer as { streams: readonly ShownStream[] }).streams;
}

interface SetAsideOptions {
  readonly limit: number;
  readonly partition?: string;
  readonly reason?: string;
  readonly url?: string;
}

function setAsideCommand(context: Context): Command {
  return new Command('set-aside')
    .description('events that count nowhere, the newest first, each with its reason')
    .argument('<source>', 'an event source')
    .option('--limit <count>', 'most events that are shown', readLimit, 20)
    .option('--partition <name>', 'only of this partition')
    .option('--reason <text>', 'only with this in their reason')
    .addOption(urlOption(context))
    .action(async (source: string, { url, ...request }: SetAsideOptions) => {
      const report =
        url === undefined
          ? await withApplied(context, async (registry, history) => {
              const document = findEventSource(registry.sources, source);
              return await showSetAside(history.archive?.setAside ?? nothing, document, request);
            })
          : await withServer(url, context, (server) => server.action('set_aside', { source, ...request }));
      await context.write(context.json ? `${JSON.stringify(report)}\n` : formatSetAside(report as ShownSetAsideReport));
    });
}

const nothing = { list: async () => ({ events: [], total: 0, counts: {}, removed: 0 }) };

function readLimit(text: string): number {
  const { success, data } = setAsideRequestSchema.shape.limit.safeParse(text);
  if (success) return data;
  throw new InvalidArgumentError('write a whole number from 1 to 1000');
}

interface ResetOptions {
  readonly from: 'earliest' | 'latest' | Readonly<Record<string, string>>;
  readonly newLog?: true;
  readonly yes?: true;
  readonly url?: string;
}

function resetCommand(context: Context): Command {
  return new Command('reset')
    .description('read a stream on from elsewhere, and make all states anew from history')
    .argument('<source>', 'an event source with a stream')
    .requiredOption('--from <place>', 'earliest, latest, or offsets by partition: 0=1200,1=40', readPlace)
    .option('--new-log', 'the log was made anew: its offsets say nothing of what was read before')
    .option('--yes', 'do not ask; without a terminal nothing is asked anyway')
    .addOption(urlOption(context))
    .action(async (source: string, { from, newLog, yes, url }: ResetOptions) => {
      const asks = yes !== true && context.isTerminal && !context.json;
      if (asks && !(await context.confirm(`Reset the stream of ${source}? It rests until its states are made anew.`))) {
        context.say('nothing was reset');
        endWithFailure();
      }
      const request = { from, new_log: newLog === true };
      const show = (progress: FillProgress) => context.progress(describeFilling(progress));
      const report =
        url === undefined
          ? await withOnlineWriter(context, 'source reset', async (parts, audit) => {
              const document = findEventSource(parts.registry.sources, source);
              return await auditReset(audit, source, request, async () =>
                describeReset(document, await resetHere(context, parts, document, readReset(request), show)),
              );
            })
          : ((await runThere(url, context, { type: 'reset_source', input: { source, ...request } }, show)) as ShownReset);
      context.progress('');
      await context.write(context.json ? `${JSON.stringify(report)}\n` : formatReset(report));
    });
}

function readPlace(text: string): ResetOptions['from'] {
  if (text === 'earliest' || text === 'latest') return text;
  const pairs = text.split(',').map((pair) => {
    const at = pair.lastIndexOf('=');
    if (at > 0 && at < pair.length - 1) return [pair.slice(0, at), pair.slice(at + 1)] as const;
    throw new InvalidArgumentError('write earliest, latest, or partition=offset, such as 0=1200,1=40');
  });
  return Object.fromEntries(pairs);
}

function formatReset({ source, partitions, views }: ShownReset): string {
  const lines = partitions.map(({ partition, before, next, new_log: isNew }) => {
    const was = before === null ? 'not read before' : `before at ${before}`;
    return `${source}, partition ${partition}: read on from ${next} (${was}${isNew ? ', of another log' : ''})\n`;
  });
  return `${lines.join('')}${formatFilled(views)}`;
}
