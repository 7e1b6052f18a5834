/** `featherflight apply`: checks every definition against its files, shows the plan, and stores it as the next version. */
import { Command } from 'commander';
import { applyPlanned, planApply } from '../registry/apply.ts';
import type { PlannedChange } from '../registry/diff.ts';
import { formatPlan } from '../registry/format-plan.ts';
import { openState } from '../registry/state.ts';
import { openTransform } from '../transform/open-transform.ts';
import type { Context } from './context.ts';
import { endWithFailure } from './exit.ts';
import { withRepository } from './local.ts';
import { urlOption, withServer } from './remote.ts';

interface Options {
  readonly yes?: true;
  readonly url?: string;
}

export function applyCommand(context: Context): Command {
  return new Command()
    .option('--yes', 'do not ask; without a terminal nothing is asked anyway')
    .addOption(urlOption(context))
    .action(async ({ yes, url }: Options) => {
      const ask = async (question: string) => {
        if (yes === true || !context.isTerminal || context.json || (await context.confirm(question))) return;
        context.say('nothing was applied');
        endWithFailure();
      };
      if (url === undefined) await applyHere(context, ask);
      else await applyThere(url, context, ask);
    });
}

type Ask = (question: string) => Promise<void>;

async function applyHere(context: Context, ask: Ask): Promise<void> {
  await withRepository(context, async (repository, history) => {
    const state = await openState(repository.config.state, { purpose: 'apply' });
    try {
      const planned = await planApply(repository, state, { ...history, checkTransform: openTransform });
      const { changes } = planned.plan;
      if (!context.json) await context.write(`${formatPlan(planned.plan)}\n`);
      if (changes.length > 0) await ask('Apply?');
      const { version } = await applyPlanned(planned, state, new Date().toISOString());
      if (context.json) await context.write(`${JSON.stringify({ version, changes })}\n`);
      else await context.write(`applied as version ${version}\n`);
    } finally {
      await state.close();
    }
  });
}

/** Definitions never travel: the server reads its own repository again. */
async function applyThere(url: string, context: Context, ask: Ask): Promise<void> {
  await ask(`Let the server at ${url} read its repository again and apply it?`);
  const { version, changes } = await withServer(url, context, (server) => server.apply());
  if (context.json) await context.write(`${JSON.stringify({ version, changes })}\n`);
  else await context.write(`${formatPlan({ changes: changes as readonly PlannedChange[] })}\napplied as version ${version}\n`);
}
