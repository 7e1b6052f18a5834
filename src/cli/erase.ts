/** `featherflight erase`: removes an entity from the online store and from what was pushed, for good, until that is lifted. */
import { Command } from 'commander';
import { openDatasets } from '../dataset/datasets.ts';
import { findEntity } from '../dataset/find-entity.ts';
import { FeatureStoreError } from '../errors.ts';
import {
  createErasures,
  type ErasureReport,
  type Erasures,
  type LiftReport,
  type SavedKey,
  type ShownErasure,
} from '../materialize/erase.ts';
import { auditErasures } from '../serve/acts/erasures.ts';
import { openLogErasure } from '../serve/log-files.ts';
import type { Context } from './context.ts';
import { endWithFailure, refuseUsage } from './exit.ts';
import { withOnlineStore, withOnlineWriter } from './online.ts';
import { printTable } from './print-table.ts';
import { urlOption, withServer } from './remote.ts';

interface Options {
  readonly lift?: true;
  readonly list?: true;
  readonly yes?: true;
  readonly url?: string;
}

export function eraseCommand(context: Context): Command {
  const command = new Command()
    .argument('[entity]', 'the entity, such as user')
    .argument('[key=value...]', 'its join keys, such as user_id=42')
    .option('--lift', 'take an erasure back: nothing returns by itself, and rows that come from then on are taken')
    .option('--list', 'show all that is erased')
    .option('--yes', 'do not ask; without a terminal nothing is asked anyway')
    .addOption(urlOption(context));
  return command.action(async (entity: string | undefined, pairs: readonly string[], options: Options) => {
    if (options.list === true) return await listErasures(context, options.url);
    if (entity === undefined) refuseUsage(command, 'name an entity and its join keys, such as: erase user user_id=42');
    const keys = readPairs(pairs);
    const shown = [entity, ...pairs].join(' ');
    if (options.lift === true) return await liftErasure(context, options.url, entity, keys);
    const asks = options.yes !== true && context.isTerminal && !context.json;
    if (asks && !(await context.confirm(`Erase ${shown} for good?`))) {
      context.say('nothing was erased');
      endWithFailure();
    }
    const report = await withErasures(context, options.url, (erasures) => erasures.erase(entity, keys));
    await context.write(context.json ? `${JSON.stringify(report)}\n` : formatReport(shown, report));
  });
}

async function liftErasure(
  context: Context,
  url: string | undefined,
  entity: string,
  keys: Readonly<Record<string, string>>,
): Promise<void> {
  const { lifted } = await withErasures(context, url, (erasures) => erasures.lift(entity, keys));
  await context.write(context.json ? `${JSON.stringify({ lifted })}\n` : lifted ? 'lifted\n' : 'nothing was erased\n');
}

async function listErasures(context: Context, url: string | undefined): Promise<void> {
  const erasures =
    url === undefined
      ? await withOnlineStore(context, ({ registry, ...parts }) => createErasures({ ...parts, registry: () => registry }).list())
      : await withErasures(context, url, (there) => there.list());
  if (context.json) return await context.write(`${JSON.stringify({ erasures })}\n`);
  const rows = erasures.map(({ entities, keys, erased_at, finished }) => ({
    entity: entities.join(', '),
    keys: Object.entries(keys).map(([name, value]) => `${name}=${value}`),
    erased_at,
    state: finished ? 'erased' : 'unfinished: erase it again',
  }));
  await context.write(printTable(['entity', 'keys', 'erased_at', 'state'], rows));
}

/** Of the repository's own state, which no server may hold then, or of a server. */
async function withErasures<T>(context: Context, url: string | undefined, work: (erasures: Erasures) => Promise<T>): Promise<T> {
  const signal = context.interruption();
  if (url === undefined) {
    return await withOnlineWriter(context, 'erase', async ({ registry: applied, ...parts }, audit) => {
      const registry = () => applied;
      const featureLog = openLogErasure(parts, applied.project);
      const datasets = await openDatasets(parts.config.storage);
      const findSaved = (keys: readonly SavedKey[], until?: AbortSignal) => findEntity(datasets, keys, until);
      return await work(auditErasures(audit, createErasures({ ...parts, registry, featureLog, findSaved }), registry));
    });
  }
  return await withServer(url, context, (server) =>
    work({
      erase: async (entity, keys) => (await server.action('erase', { entity, keys }, { signal })) as ErasureReport,
      lift: async (entity, keys) => (await server.action('lift_erasure', { entity, keys }, { signal })) as LiftReport,
      list: async () => {
        const answer = await server.action('list_erasures', {}, { signal });
        return (answer as { erasures: readonly ShownErasure[] }).erasures;
      },
    }),
  );
}

function readPairs(pairs: readonly string[]): Readonly<Record<string, string>> {
  const given = new Map(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at > 0) return [pair.slice(0, at), pair.slice(at + 1)] as const;
      throw new FeatureStoreError('INVALID_ARGUMENT', `"${pair}" is not key=value, such as user_id=42`);
    }),
  );
  if (given.size === pairs.length) return Object.fromEntries(given);
  throw new FeatureStoreError('INVALID_ARGUMENT', 'a join key is named twice: give each once');
}

function formatReport(shown: string, { online, archives, feature_log: logged, datasets, foreign }: ErasureReport): string {
  const rows = Object.entries(online.rows).map(([view, count]) => `${view || 'unknown views'} ${count}`);
  const lines = [`erased ${shown}: ${rows.length === 0 ? 'no rows were online' : `online rows of ${rows.join(', ')}`}`];
  for (const { source, files, rows: count } of archives)
    lines.push(`pushed to ${source}: ${count} rows in ${files} files removed`);
  if (logged.rows > 0) lines.push(`feature log: ${logged.rows} rows in ${logged.files} files removed`);
  for (const { dataset, rows: count, problem } of datasets) {
    const what = count === null ? `may hold it (${problem})` : `holds ${count} rows`;
    lines.push(`not changed: dataset ${dataset} ${what}; featherflight dataset delete ${dataset} removes it`);
  }
  for (const { source, paths } of foreign) lines.push(`not changed: ${source} may hold it, in ${paths.join(', ')}`);
  lines.push('rows of it are refused until that is lifted (--lift)');
  return `${lines.join('\n')}\n`;
}
