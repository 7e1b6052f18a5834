/** `featherflight plan`: what apply would change, field by field, after checking every definition against its files. */
import { Command } from 'commander';
import { planApply } from '../registry/apply.ts';
import { formatPlan } from '../registry/format-plan.ts';
import { readState } from '../registry/state.ts';
import type { Context } from './context.ts';
import { endWithFailure } from './exit.ts';
import { withRepository } from './local.ts';

export function planCommand(context: Context): Command {
  return new Command()
    .option('--exit-code', 'end with status 1 if there is anything to change, for CI')
    .action(async (options: { exitCode?: true }) => {
      const { plan, baseVersion } = await withRepository(context, async (repository, history) => {
        const state = readState(repository.config.state);
        try {
          return await planApply(repository, state, history.describeTable);
        } finally {
          await state.close();
        }
      });
      const { changes } = plan;
      await context.write(context.json ? `${JSON.stringify({ version: baseVersion, changes })}\n` : `${formatPlan(plan)}\n`);
      if (options.exitCode === true && changes.length > 0) endWithFailure();
    });
}
