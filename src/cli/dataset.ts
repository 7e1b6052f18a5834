/** `featherflight dataset …`: training sets that are saved under a name, by a server or as the state has them. */
import { Command } from 'commander';
import type { Context } from './context.ts';
import { deleteCommand, reproduceCommand, tagCommand } from './dataset-change.ts';
import { createCommand } from './dataset-create.ts';
import { exportCommand } from './dataset-export.ts';
import { describeCommand, diffCommand, listCommand } from './dataset-show.ts';

export function datasetCommand(context: Context): Command {
  const command = new Command();
  const own = [
    createCommand,
    listCommand,
    describeCommand,
    diffCommand,
    tagCommand,
    reproduceCommand,
    exportCommand,
    deleteCommand,
  ];
  for (const make of own) command.addCommand(make(context).copyInheritedSettings(command).exitOverride());
  return command.helpCommand(false);
}
