/** `featherflight apply`: checks every definition against its files, shows the plan, and stores it as the next version. */
import { Command } from 'commander';
import { checkRefused, findRefused } from '../lifecycle/refuse-losses.ts';
import { applyPlanned, planApply } from '../registry/apply.ts';
import type { PlannedChange } from '../registry/diff.ts';
import { formatPlan } from '../registry/format-plan.ts';
import { openState } from '../registry/state.ts';
import { auditApply } from '../serve/acts/definitions.ts';
import type { FillProgress } from '../stream/fill-features.ts';
import { openTransform } from '../transform/open-transform.ts';
import { withAudit } from './audit-here.ts';
import type { Context } from './context.ts';
import { endWithFailure } from './exit.ts';
import { describeFilling } from './format-streams.ts';
import { withRepository } from './local.ts';
import { showProgress, urlOption, withServer } from './remote.ts';
import { usageHere } from './usage-here.ts';

interface Options {
  readonly yes?: true;
  readonly force?: true;
  readonly url?: string;
}

export function applyCommand(context: Context): Command {
  return new Command()
    .option('--yes', 'do not ask; without a terminal nothing is asked anyway')
    .option('--force', 'apply also what takes away, or changes, what was read in the last 30 days')
    .addOption(urlOption(context))
    .action(async ({ yes, force, url }: Options) => {
      const ask = async (question: string) => {
        if (yes === true || !context.isTerminal || context.json || (await context.confirm(question))) return;
        context.say('nothing was applied');
        endWithFailure();
      };
      if (url === undefined) await applyHere(context, ask, force === true);
      else await applyThere(url, context, ask, force === true);
    });
}

type Ask = (question: string) => Promise<void>;

async function applyHere(context: Context, ask: Ask, force: boolean): Promise<void> {
  await withRepository(context, async (repository, history, store) => {
    const state = await openState(repository.config.state, { purpose: 'apply' });
    try {
      const before = state.readDocument();
      const planned = await planApply(repository, state, { ...history, checkTransform: openTransform });
      const { changes } = planned.plan;
      if (!context.json) await context.write(`${formatPlan(planned.plan)}\n`);
      const usage = before === undefined || force ? undefined : usageHere(repository.config, before, store);
      const refused = usage === undefined ? [] : await findRefused(before, planned.document, usage.read);
      if (changes.length > 0 && refused.length === 0) await ask('Apply?');
      const { version } = await withAudit(context, repository.config, state, (audit) =>
        auditApply(audit, force, async () => {
          checkRefused(refused);
          return { ...(await applyPlanned(planned, state, new Date().toISOString())), changes };
        }),
      );
      if (context.json) await context.write(`${JSON.stringify({ version, changes })}\n`);
      else await context.write(`applied as version ${version}\n`);
    } finally {
      await state.close();
    }
  });
}

/** Definitions never travel: the server reads its own repository again. */
async function applyThere(url: string, context: Context, ask: Ask, force: boolean): Promise<void> {
  await ask(`Let the server at ${url} read its repository again and apply it?`);
  const show = (progress: FillProgress) => context.progress(describeFilling(progress));
  const onResult = (result: unknown) => showProgress(result, show);
  const { version, changes } = await withServer(url, context, (server) => server.apply({ onResult, force }));
  context.progress('');
  if (context.json) await context.write(`${JSON.stringify({ version, changes })}\n`);
  else await context.write(`${formatPlan({ changes: changes as readonly PlannedChange[] })}\napplied as version ${version}\n`);
}
