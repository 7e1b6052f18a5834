/** `featherflight apply`: checks every definition against its files, shows the plan, and stores it as the next version. */
import { Command } from 'commander';
import { applyPlanned, type PlannedApply, planApply } from '../registry/apply.ts';
import { formatPlan } from '../registry/format-plan.ts';
import { openState } from '../registry/state.ts';
import type { Context } from './context.ts';
import { endWithFailure } from './exit.ts';
import { withRepository } from './local.ts';

export function applyCommand(context: Context): Command {
  return new Command()
    .option('--yes', 'do not ask; without a terminal nothing is asked anyway')
    .action(async (options: { yes?: true }) => {
      await withRepository(context, async (repository, history) => {
        const state = await openState(repository.config.state, { purpose: 'apply' });
        try {
          const planned = await planApply(repository, state, history.describeTable);
          if (!context.json) await context.write(`${formatPlan(planned.plan)}\n`);
          if (!(await isWanted(planned, options.yes === true, context))) {
            context.say('nothing was applied');
            endWithFailure();
          }
          const { version } = await applyPlanned(planned, state, new Date().toISOString());
          if (context.json) await context.write(`${JSON.stringify({ version, changes: planned.plan.changes })}\n`);
          else await context.write(`applied as version ${version}\n`);
        } finally {
          await state.close();
        }
      });
    });
}

async function isWanted({ plan }: PlannedApply, yes: boolean, context: Context): Promise<boolean> {
  if (yes || plan.changes.length === 0 || !context.isTerminal || context.json) return true;
  return await context.confirm('Apply?');
}
