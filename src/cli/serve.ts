/** `featherflight serve`: answers until it is interrupted, then lets running calls finish; with `--watch` applies on save. */
import { Command } from 'commander';
import { FeatureStoreError } from '../errors.ts';
import type { Plan } from '../registry/diff.ts';
import { formatPlan } from '../registry/format-plan.ts';
import { type RunningServer, startServer } from '../serve/server.ts';
import type { Context } from './context.ts';
import { untilAborted } from './until-aborted.ts';
import { watchRepository } from './watch-repository.ts';

export function serveCommand(context: Context): Command {
  return new Command()
    .option('--watch', 'apply at the start and whenever a definition is saved, for development')
    .action(async (options: { watch?: true }) => {
      const interrupted = context.interruption();
      const logLevel = context.isTerminal ? 'warn' : 'info';
      const server = await startServer({ root: context.directory, environment: context.environment, logLevel });
      try {
        await announce(server, context);
        if (options.watch === true) await applyAndSay(server, context);
        else if (server.version === 0) context.say('nothing is applied yet: run featherflight apply before, or serve --watch');
        const watching =
          options.watch === true ? watchRepository(context.directory, () => applyAndSay(server, context)) : undefined;
        try {
          await Promise.race([untilAborted(interrupted), server.died]);
        } finally {
          watching?.close();
        }
      } finally {
        await server.stop();
      }
    });
}

async function announce({ url, httpUrl, project, version }: RunningServer, context: Context): Promise<void> {
  if (context.json) await context.write(`${JSON.stringify({ url, http: httpUrl, project, version })}\n`);
  else await context.write(`serving ${project} at ${url} and ${httpUrl}${context.isTerminal ? ' until Ctrl-C' : ''}\n`);
}

/** A repository that is refused stays as it was applied; the reason is said and serving goes on. */
async function applyAndSay(server: RunningServer, context: Context): Promise<void> {
  try {
    const { version, changes } = (await server.apply({ force: true })) as { version: number } & Plan;
    context.say(changes.length === 0 ? `version ${version}: no changes` : `version ${version}:\n${formatPlan({ changes })}`);
  } catch (error) {
    if (!(error instanceof FeatureStoreError)) throw error;
    context.say(`not applied: ${error.message}`);
  }
}
