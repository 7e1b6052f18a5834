/** `featherflight init DIR`: a feature repository that can be applied at once. */
import { resolve } from 'node:path';
import { Argument, Command, Option } from 'commander';
import { type TemplateName, templateNames } from '../demo/copy-template.ts';
import { createRepository } from '../demo/create-repository.ts';
import type { Context } from './context.ts';

export function initCommand(context: Context): Command {
  return new Command()
    .addArgument(new Argument('<dir>', 'the folder to make'))
    .addOption(new Option('--template <name>', 'what to begin with').choices([...templateNames]).default('minimal'))
    .action(async (dir: string, options: { template: TemplateName }) => {
      const directory = resolve(context.directory, dir);
      await createRepository(options.template, directory, context.say);
      if (context.json) await context.write(`${JSON.stringify({ directory, template: options.template })}\n`);
      else await context.write(`made ${directory}\nnext: featherflight -C ${dir} plan, then apply\n`);
    });
}
