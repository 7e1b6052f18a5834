/** `featherflight replay SOURCE`: states made anew from history, of all keys or of those with an event in a range. */
import { Command } from 'commander';
import type { ShownReplay } from '../http/stream-answers.ts';
import { auditReplay } from '../serve/acts/streams.ts';
import { readReplay } from '../serve/stream-requests.ts';
import { findEventSource } from '../serve/stream-status.ts';
import type { FillProgress } from '../stream/fill-features.ts';
import type { Context } from './context.ts';
import { describeFilling, formatFilled } from './format-streams.ts';
import { withOnlineWriter } from './online.ts';
import { runThere, urlOption } from './remote.ts';
import { replayHere } from './streams-here.ts';

interface Options {
  readonly from?: string;
  readonly to?: string;
  readonly url?: string;
}

export function replayCommand(context: Context): Command {
  return new Command()
    .argument('<source>', 'an event source')
    .option('--from <instant>', 'only keys with an event from then on; default: from the beginning')
    .option('--to <instant>', 'only keys with an event before then; default: up to now')
    .addOption(urlOption(context))
    .action(async (source: string, { from, to, url }: Options) => {
      const touched = readReplay({ from, to });
      const show = (progress: FillProgress) => context.progress(describeFilling(progress));
      const report =
        url === undefined
          ? await withOnlineWriter(context, 'replay', async (parts, audit) => {
              const document = findEventSource(parts.registry.sources, source);
              const work = () => replayHere(context, parts, document, touched, show);
              return { source, ...(await auditReplay(audit, source, { from, to }, work)) };
            })
          : ((await runThere(url, context, { type: 'replay_source', input: { source, from, to } }, show)) as ShownReplay);
      context.progress('');
      await context.write(context.json ? `${JSON.stringify(report)}\n` : formatFilled(report.views));
    });
}
