/** `featherflight plan`: what apply would change, field by field, after checking every definition against its files. */
import { Command } from 'commander';
import { openDatasets } from '../dataset/datasets.ts';
import { withDatasets } from '../dataset/made-of.ts';
import { describeRefused, findRefused, type RefusedLoss, recentDays } from '../lifecycle/refuse-losses.ts';
import { planApply } from '../registry/apply.ts';
import type { PlannedChange } from '../registry/diff.ts';
import type { RegistryDocument } from '../registry/document.ts';
import { formatPlan } from '../registry/format-plan.ts';
import { readState } from '../registry/state.ts';
import { openTransform } from '../transform/open-transform.ts';
import type { Context } from './context.ts';
import { endWithFailure } from './exit.ts';
import { withRepository } from './local.ts';
import { urlOption, withServer } from './remote.ts';
import { usageHere } from './usage-here.ts';

interface Options {
  readonly exitCode?: true;
  readonly force?: true;
  readonly url?: string;
}

interface Changes {
  /** The applied version that is compared with; 0 is none. */
  readonly version: number;
  readonly changes: readonly PlannedChange[];
  /** What apply would refuse unless it is forced. */
  readonly refused: readonly RefusedLoss[];
}

export function planCommand(context: Context): Command {
  return new Command()
    .option('--exit-code', 'end with status 1 if there is anything to change, for CI')
    .option('--force', 'end with status 0 also where apply needs --force')
    .addOption(urlOption(context))
    .action(async ({ exitCode, force, url }: Options) => {
      const { version, changes, refused } = url === undefined ? await planHere(context) : await planThere(url, context);
      await context.write(context.json ? `${JSON.stringify({ version, changes, refused })}\n` : `${formatPlan({ changes })}\n`);
      if (refused.length > 0) {
        context.say(`read in the last ${recentDays} days, hence only with --force:`);
        for (const loss of refused) context.say(`  ${describeRefused(loss)}`);
      }
      if ((exitCode === true && changes.length > 0) || (force !== true && refused.length > 0)) endWithFailure();
    });
}

async function planHere(context: Context): Promise<Changes> {
  return await withRepository(context, async (repository, history, store) => {
    const state = readState(repository.config.state);
    try {
      const before = state.readDocument();
      const { plan, document, baseVersion } = await planApply(repository, state, { ...history, checkTransform: openTransform });
      const readUsage = () => usageHere(repository.config, before as RegistryDocument, store).read();
      const refused = await findRefused(before, document, readUsage);
      const datasets = await openDatasets(repository.config.storage);
      return { version: baseVersion, changes: withDatasets(plan.changes, await datasets.list()), refused };
    } finally {
      await state.close();
    }
  });
}

/** Definitions never travel: the server reads its own repository again. */
async function planThere(url: string, context: Context): Promise<Changes> {
  const { version, changes, refused = [] } = await withServer(url, context, (server) => server.plan());
  return { version, changes: changes as readonly PlannedChange[], refused: refused as readonly RefusedLoss[] };
}
