/** `featherflight audit`: who changed what, as the files under `storage` have it, or by a server. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { auditDirectory } from '../audit/audit.ts';
import { type AuditEntry, auditActions } from '../audit/entry.ts';
import { type AuditQuery, auditQuerySchema } from '../audit/query.ts';
import { type AuditPage, readAudit } from '../audit/read.ts';
import { loadConfig } from '../registry/load.ts';
import type { Context } from './context.ts';
import { terminalWidth } from './fold-line.ts';
import { printTable } from './print-table.ts';
import { urlOption, withServer } from './remote.ts';

type Options = Partial<AuditQuery> & { readonly url?: string };

export function auditCommand(context: Context): Command {
  return new Command()
    .option('--from <instant>', 'only acts that began from then on', parseOption('from'))
    .option('--to <instant>', 'only acts that began before then', parseOption('to'))
    .addOption(new Option('--action <action>', 'only acts of this kind').choices(auditActions))
    .option('--caller <name>', "only acts of this caller: a token's name or id, or a user")
    .option('--name <name>', 'only acts on this view, source, entity or token')
    .option('--limit <count>', 'most acts that are shown, the newest first', parseOption('limit'), 100)
    .option('--before <id>', 'only acts before the one of this id')
    .addOption(urlOption(context))
    .action(async ({ url, ...asked }: Options) => {
      const page = url === undefined ? await readHere(context, asked) : await readThere(context, url, asked);
      if (context.json) return await context.write(`${JSON.stringify(page)}\n`);
      await context.write(formatPage(page, context.isTerminal ? terminalWidth : undefined));
      if (page.next !== null) context.say(`there are older acts: --before ${page.next}`);
      for (const { file, lines } of page.damaged)
        context.say(`${file}: ${lines} ${lines === 1 ? 'line is' : 'lines are'} damaged: a process died while it wrote`);
    });
}

async function readHere(context: Context, asked: Partial<AuditQuery>): Promise<AuditPage> {
  const config = await loadConfig(context.directory, context.environment);
  const page = await readAudit(auditDirectory(config), auditQuerySchema.parse(asked));
  if (!config.audit.enabled) context.say('the audit log is off in the config (audit.enabled): this is what was written before');
  return page;
}

async function readThere(context: Context, url: string, asked: Partial<AuditQuery>): Promise<AuditPage> {
  return (await withServer(url, context, (server) => server.action('audit', asked))) as AuditPage;
}

function formatPage({ entries }: AuditPage, width: number | undefined): string {
  if (entries.length === 0) return 'no acts\n';
  return printTable(['at', 'action', 'caller', 'outcome', 'what'], entries.map(asRow), undefined, width);
}

function asRow({ at, action, caller, user, outcome, code, names, what }: AuditEntry) {
  return {
    at: `${at.slice(0, 19)}Z`.replace('T', ' '),
    action,
    caller: user === null ? caller : `${caller} ${user}`,
    outcome: code === null ? outcome : `${outcome} ${code}`,
    what: [...(isSaid(what, names) ? [] : [names.join(', ')]), what].filter((part) => part !== '').join(': '),
  };
}

function isSaid(what: string, names: readonly string[]): boolean {
  return names.every((name) => what.includes(name));
}

function parseOption(name: 'from' | 'to' | 'limit'): (text: string) => string | number {
  return (text) => {
    const { success, data, error } = auditQuerySchema.shape[name].safeParse(text);
    if (success && data !== undefined) return data;
    throw new InvalidArgumentError(name === 'limit' ? 'write a whole number from 1 to 1000' : (error?.issues[0]?.message ?? ''));
  };
}
