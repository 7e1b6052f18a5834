/** `featherflight token create|list|revoke`: API tokens, in the state or by a server. */
import { Command, Option } from 'commander';
import { scopes } from '../access/scope.ts';
import { openTokens, readTokens, type ShownToken, type TokenRequest, type Tokens } from '../access/tokens.ts';
import { loadConfig } from '../registry/load.ts';
import { openState, readState } from '../registry/state.ts';
import { auditTokens } from '../serve/acts/tokens.ts';
import { withAudit } from './audit-here.ts';
import type { Context } from './context.ts';
import { printTable } from './print-table.ts';
import { urlOption, withServer } from './remote.ts';

interface CreateOptions {
  readonly scope: TokenRequest['scopes'];
  readonly description?: string;
  readonly project?: string;
  readonly view?: string[];
  readonly expires?: string;
  readonly url?: string;
}

export function tokenCommand(context: Context): Command {
  const command = new Command();
  for (const own of [createCommand(context), listCommand(context), revokeCommand(context)]) {
    command.addCommand(own.copyInheritedSettings(command).exitOverride());
  }
  return command.helpCommand(false);
}

function createCommand(context: Context): Command {
  return new Command('create')
    .description('make a token; its text is shown this once')
    .addOption(
      new Option('--scope <scope...>', 'what it may do; admin may do everything').choices([...scopes]).makeOptionMandatory(),
    )
    .option('--description <text>', 'whom or what it is for')
    .option('--project <name>', 'only on a server of this project')
    .option('--view <name...>', 'only features of these views')
    .option('--expires <instant>', 'ISO instant after which it is refused')
    .addOption(urlOption(context))
    .action(async ({ scope, description, project, view, expires, url }: CreateOptions) => {
      const request: TokenRequest = { scopes: scope, description, project, views: view, expires_at: expires };
      const made = await change(context, url, 'create_token', request, (tokens) => tokens.create(request));
      if (context.json) return await context.write(`${JSON.stringify(made)}\n`);
      await context.write(`${made.token}\n`);
      context.say(
        `token ${made.id} was made; keep its text now, it is shown only this once, and a server that has tokens asks every caller for one`,
      );
    });
}

function listCommand(context: Context): Command {
  return new Command('list')
    .description('all tokens, without their text')
    .addOption(urlOption(context))
    .action(async ({ url }: { url?: string }) => {
      const tokens = url === undefined ? await listHere(context) : await listThere(url, context);
      if (context.json) return await context.write(`${JSON.stringify({ tokens })}\n`);
      await context.write(printTable(['id', 'scopes', 'state', 'views', 'description'], tokens.map(withState)));
    });
}

function revokeCommand(context: Context): Command {
  return new Command('revoke')
    .description('refuse a token from now on')
    .argument('<id>', 'its id, as token list shows it')
    .addOption(urlOption(context))
    .action(async (id: string, { url }: { url?: string }) => {
      const revoked = await change(context, url, 'revoke_token', { id }, (tokens) => tokens.revoke(id));
      await context.write(context.json ? `${JSON.stringify(revoked)}\n` : `token ${revoked.id} is refused from now on\n`);
    });
}

async function change<T extends object>(
  context: Context,
  url: string | undefined,
  action: string,
  body: object,
  work: (tokens: Tokens) => Promise<T>,
): Promise<T> {
  if (url !== undefined) return (await withServer(url, context, (server) => server.action(action, body))) as T;
  const config = await loadConfig(context.directory, context.environment);
  const state = await openState(config.state, { purpose: 'token' });
  try {
    return await withAudit(context, config, state, (audit) => work(auditTokens(audit, openTokens(state))));
  } finally {
    await state.close();
  }
}

async function listHere(context: Context): Promise<readonly ShownToken[]> {
  const state = readState((await loadConfig(context.directory, context.environment)).state);
  try {
    return readTokens(state).map(({ hash: _, ...shown }) => shown);
  } finally {
    await state.close();
  }
}

async function listThere(url: string, context: Context): Promise<readonly ShownToken[]> {
  const answer = await withServer(url, context, (server) => server.action('list_tokens'));
  return (answer as { tokens: readonly ShownToken[] }).tokens;
}

function withState(token: ShownToken): Readonly<Record<string, unknown>> {
  const { revokedAt, expiresAt } = token;
  const isExpired = expiresAt !== undefined && Date.parse(expiresAt) <= Date.now();
  const lasting = expiresAt === undefined ? 'valid' : `until ${expiresAt.slice(0, 10)}`;
  return { ...token, state: revokedAt !== undefined ? 'revoked' : isExpired ? 'expired' : lasting };
}
