/** `featherflight plan`: what apply would change, field by field, after checking every definition against its files. */
import { Command } from 'commander';
import { planApply } from '../registry/apply.ts';
import type { PlannedChange } from '../registry/diff.ts';
import { formatPlan } from '../registry/format-plan.ts';
import { readState } from '../registry/state.ts';
import { openTransform } from '../transform/open-transform.ts';
import type { Context } from './context.ts';
import { endWithFailure } from './exit.ts';
import { withRepository } from './local.ts';
import { urlOption, withServer } from './remote.ts';

interface Options {
  readonly exitCode?: true;
  readonly url?: string;
}

interface Changes {
  /** The applied version that is compared with; 0 is none. */
  readonly version: number;
  readonly changes: readonly PlannedChange[];
}

export function planCommand(context: Context): Command {
  return new Command()
    .option('--exit-code', 'end with status 1 if there is anything to change, for CI')
    .addOption(urlOption(context))
    .action(async ({ exitCode, url }: Options) => {
      const { version, changes } = url === undefined ? await planHere(context) : await planThere(url, context);
      await context.write(context.json ? `${JSON.stringify({ version, changes })}\n` : `${formatPlan({ changes })}\n`);
      if (exitCode === true && changes.length > 0) endWithFailure();
    });
}

async function planHere(context: Context): Promise<Changes> {
  return await withRepository(context, async (repository, history) => {
    const state = readState(repository.config.state);
    try {
      const { plan, baseVersion } = await planApply(repository, state, { ...history, checkTransform: openTransform });
      return { version: baseVersion, changes: plan.changes };
    } finally {
      await state.close();
    }
  });
}

/** Definitions never travel: the server reads its own repository again. */
async function planThere(url: string, context: Context): Promise<Changes> {
  const { version, changes } = await withServer(url, context, (server) => server.plan());
  return { version, changes: changes as readonly PlannedChange[] };
}
