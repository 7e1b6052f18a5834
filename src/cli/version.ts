/** `featherflight version`: the product's version, at once. */
import { Command } from 'commander';
import { productVersion } from '../version.ts';
import type { Context } from './context.ts';

export function versionCommand(context: Context): Command {
  return new Command().action(async () => {
    await context.write(context.json ? `${JSON.stringify({ version: productVersion })}\n` : `featherflight ${productVersion}\n`);
  });
}
