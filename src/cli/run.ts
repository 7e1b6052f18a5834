/** Runs one command line: finds the command, loads it alone, and turns what it throws into an exit status. */
import { resolve } from 'node:path';
import { Command, CommanderError } from 'commander';
import { asFeatureStoreError, FeatureStoreError } from '../errors.ts';
import type { Context } from './context.ts';
import { failedCode } from './exit.ts';
import { spellOption } from './spell-option.ts';

/** A command as its file offers it: made for a context, it does its work when it is parsed. */
type MakeCommand = (context: Context) => Command;

interface Entry {
  readonly name: string;
  readonly summary: string;
  /** Imports the command's file, and with it all that the command needs. */
  readonly load: () => Promise<MakeCommand>;
}

const entries: readonly Entry[] = [
  { name: 'init', summary: 'make a feature repository to begin with', load: async () => (await import('./init.ts')).initCommand },
  { name: 'plan', summary: 'show what apply would change', load: async () => (await import('./plan.ts')).planCommand },
  {
    name: 'preview',
    summary: 'compute features of definitions before they are applied',
    load: async () => (await import('./preview.ts')).previewCommand,
  },
  {
    name: 'apply',
    summary: 'check the definitions and make them so',
    load: async () => (await import('./apply.ts')).applyCommand,
  },
  { name: 'serve', summary: 'answer over Arrow Flight and HTTP', load: async () => (await import('./serve.ts')).serveCommand },
  {
    name: 'get-historical-features',
    summary: 'make a training set from files',
    load: async () => (await import('./get-historical-features.ts')).getHistoricalFeaturesCommand,
  },
  {
    name: 'materialize',
    summary: 'bring the online store up to date for a range of time',
    load: async () => (await import('./materialize.ts')).materializeCommand,
  },
  {
    name: 'materialize-incremental',
    summary: 'bring the online store up to date with whatever is new',
    load: async () => (await import('./materialize.ts')).materializeIncrementalCommand,
  },
  {
    name: 'run-sql',
    summary: 'run ticks of an SQL source',
    load: async () => (await import('./run-sql.ts')).runSqlCommand,
  },
  {
    name: 'get-online-features',
    summary: 'features of entities as they are now',
    load: async () => (await import('./get-online-features.ts')).getOnlineFeaturesCommand,
  },
  { name: 'token', summary: 'make, list and revoke API tokens', load: async () => (await import('./token.ts')).tokenCommand },
  { name: 'push', summary: 'push the rows of a file', load: async () => (await import('./push.ts')).pushCommand },
  {
    name: 'source',
    summary: 'streams of event sources: how far they are, what they set aside, reading them anew',
    load: async () => (await import('./source.ts')).sourceCommand,
  },
  {
    name: 'replay',
    summary: "make states of a source's features anew from history",
    load: async () => (await import('./replay.ts')).replayCommand,
  },
  {
    name: 'erase',
    summary: 'remove an entity for good: online, and of what was pushed',
    load: async () => (await import('./erase.ts')).eraseCommand,
  },
  {
    name: 'validate',
    summary: 'prove that what is served is what training gets',
    load: async () => (await import('./validate.ts')).validateCommand,
  },
  { name: 'audit', summary: 'who changed what, the newest first', load: async () => (await import('./audit.ts')).auditCommand },
  {
    name: 'dataset',
    summary: 'training sets saved under a name: create, list, compare, reproduce',
    load: async () => (await import('./dataset.ts')).datasetCommand,
  },
  { name: 'types', summary: 'write types for the Node client', load: async () => (await import('./types.ts')).typesCommand },
  { name: 'list', summary: 'list what is applied', load: async () => (await import('./list.ts')).listCommand },
  { name: 'describe', summary: 'show everything of one name', load: async () => (await import('./describe.ts')).describeCommand },
  {
    name: 'lineage',
    summary: 'show what a name is made of, and who reads it',
    load: async () => (await import('./lineage.ts')).lineageCommand,
  },
  { name: 'usage', summary: 'show who read which feature last', load: async () => (await import('./usage.ts')).usageCommand },
  {
    name: 'demo',
    summary: 'StreamRec, from nothing to the same features in training and online',
    load: async () => (await import('./demo.ts')).demoCommand,
  },
  { name: 'version', summary: 'print the version', load: async () => (await import('./version.ts')).versionCommand },
];

/** Exit status: 0 done, 1 refused or failed with the reason on standard error, 2 wrong usage. */
export async function runCli(args: readonly string[], context: Context): Promise<number> {
  const shared = takeSharedOptions(args);
  const directory = resolve(context.directory, shared.directory ?? '.');
  const own = { ...context, directory, json: shared.json };
  try {
    await makeProgram(own).parseAsync(shared.rest, { from: 'user' });
    return 0;
  } catch (error) {
    return reportError(error, own);
  }
}

function reportError(error: unknown, context: Context): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : error.code === failedCode ? 1 : 2;
  const { code, message, details } = asFeatureStoreError(error);
  const isBug = !(error instanceof FeatureStoreError) && error instanceof Error;
  if (context.json) context.say(JSON.stringify({ error: { code, message, details } }));
  else context.say(`featherflight: ${isBug ? (error.stack ?? message) : message}${spellOption(details)}`);
  return 1;
}

/** `-C DIR` and `--json` may stand before the command or after it. */
function takeSharedOptions(args: readonly string[]): { directory: string | undefined; json: boolean; rest: string[] } {
  const rest: string[] = [];
  let directory: string | undefined;
  let json = false;
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] as string;
    if (arg === '--') return { directory, json, rest: [...rest, ...args.slice(at)] };
    if (arg === '--json') json = true;
    else if ((arg === '-C' || arg === '--directory') && at + 1 < args.length) directory = args[++at];
    else if (arg.startsWith('--directory=')) directory = arg.slice('--directory='.length);
    else rest.push(arg);
  }
  return { directory, json, rest: rest.length === 1 && rest[0] === '--version' ? ['version'] : rest };
}

/** Every command is a name and a summary until it is called: only then is its file imported. */
function makeProgram(context: Context): Command {
  const program = settle(new Command('featherflight'), context)
    .description('A feature store that keeps training and serving honest.')
    .enablePositionalOptions()
    .option('-C, --directory <dir>', 'the feature repository; default: the working directory')
    .option('--json', 'answer in JSON, for machines')
    .option('--version', 'print the version')
    .addHelpText('after', '\nfeatherflight COMMAND --help says what a command takes.')
    .helpCommand(false)
    .configureHelp({ subcommandTerm: (command) => command.name() });
  for (const { name, summary, load } of entries) {
    settle(program.command(name), context)
      .description(summary)
      .helpOption(false)
      .allowUnknownOption()
      .allowExcessArguments()
      .passThroughOptions()
      .argument('[args...]')
      .action(async (args: string[]) => {
        const command = settle((await load())(context), context)
          .name(`featherflight ${name}`)
          .description(summary);
        await command.parseAsync(args, { from: 'user' });
      });
  }
  return program;
}

/** Commander writes through the context, and throws instead of leaving the process; so do the commands below. */
function settle(command: Command, context: Context): Command {
  for (const below of command.commands) settle(below, context);
  return command.exitOverride().configureOutput({
    writeOut: (text) => {
      context.write(text).catch(() => {});
    },
    writeErr: (text) => context.say(text.trimEnd()),
  });
}
