/** `featherflight get-online-features`: features of entities as they are now, from the online store or a server. */
import { type Command as Cli, Command } from 'commander';
import { encodeColumns, encodeMembers, type RequestColumns } from '../client/http/encode-columns.ts';
import { writeAnswer } from '../http/json/write-answer.ts';
import { parseJson } from '../json/parse-json.ts';
import type { DeprecationWarning } from '../lifecycle/deprecation-warnings.ts';
import { readWatermarks } from '../materialize/view-state.ts';
import { silentLogger } from '../observe.ts';
import { createOnlineRecords } from '../online/records.ts';
import type { OnlineRequest } from '../online/retrieve/answer.ts';
import { createOnlineFacts } from '../online/retrieve/facts.ts';
import { createOnlineFeatures } from '../online/retrieve/retrieve.ts';
import type { Context } from './context.ts';
import { refuseUsage } from './exit.ts';
import { withOnlineStore } from './online.ts';
import { printTable } from './print-table.ts';
import { urlOption, withHttp } from './remote.ts';
import { tellWarnings } from './tell-warnings.ts';

const timeoutMs = 60_000;

interface Options {
  readonly entities: OnlineRequest['entities'];
  readonly request?: OnlineRequest['entities'];
  readonly service?: string;
  readonly features?: readonly string[];
  readonly fullFeatureNames?: true;
  readonly url?: string;
}

/** What our JSON says of an answer, as far as a table shows it. */
interface WrittenAnswer {
  readonly evaluated_at: string;
  readonly rows: number;
  readonly never_materialized: readonly string[];
  readonly warnings?: readonly DeprecationWarning[];
  readonly entities: Readonly<Record<string, { readonly values: readonly unknown[] }>>;
  readonly columns: Readonly<
    Record<string, { readonly values: readonly unknown[]; readonly statuses: readonly string[]; readonly is_default: boolean[] }>
  >;
}

export function getOnlineFeaturesCommand(context: Context): Command {
  const command: Cli = new Command();
  return command
    .option('--service <name>', 'the feature service to ask for')
    .option('--features <view:feature,…>', 'features, instead of a service', (text) => text.split(','))
    .requiredOption('--entities <json>', 'keys by column, such as {"user_id": ["1", "2"]}', (text) => parse('entities', text))
    .option('--request <json>', 'values that on-demand features read, by column', (text) => parse('request', text))
    .option('--full-feature-names', 'name columns view__feature')
    .addOption(urlOption(context))
    .action(async (options: Options) => {
      if ((options.service === undefined) === (options.features === undefined)) {
        refuseUsage(command, 'name either --service or --features');
      }
      const text = options.url === undefined ? await askHere(context, options) : await askThere(options.url, context, options);
      const answer = JSON.parse(text) as WrittenAnswer;
      tellWarnings(context, answer.warnings ?? []);
      await context.write(context.json ? `${text}\n` : formatAnswer(answer));
    });

  function parse(option: string, text: string): OnlineRequest['entities'] {
    try {
      const value = parseJson(Buffer.from(text), 16);
      if (typeof value === 'object' && value !== null && Object.values(value).every(Array.isArray)) {
        return value as unknown as OnlineRequest['entities'];
      }
    } catch {}
    return refuseUsage(command, `--${option} is not a JSON object of lists, such as {"user_id": ["1", "2"]}`);
  }
}

async function askHere(context: Context, options: Options): Promise<string> {
  return await withOnlineStore(context, async ({ registry, store }) => {
    const { project } = registry;
    const records = createOnlineRecords(store, project);
    const readMaterialized = async (views: readonly string[], signal?: AbortSignal) =>
      (await readWatermarks(records, views, signal)).map((watermark) => watermark !== undefined);
    const facts = createOnlineFacts({ store, project, registry: () => registry, readMaterialized, logger: silentLogger });
    try {
      await facts.load();
      const online = createOnlineFeatures({ store, project, registry: () => registry, facts });
      return writeAnswer(await online.get({ ...options, isJson: true }), true);
    } finally {
      facts.close();
    }
  });
}

async function askThere(url: string, context: Context, options: Options): Promise<string> {
  const { entities, request, service, features, fullFeatureNames } = options;
  const body = encodeMembers({
    entities: encodeColumns(entities as RequestColumns),
    request: request === undefined ? undefined : encodeColumns(request as RequestColumns),
    service: JSON.stringify(service),
    features: JSON.stringify(features),
    full_feature_names: JSON.stringify(fullFeatureNames),
  });
  const call = { method: 'POST', path: '/api/v1/online-features', body, timeoutMs, isRepeatable: true } as const;
  return JSON.stringify(await withHttp(url, context, (http) => http.call({ ...call, signal: context.interruption() })));
}

/** A row for each value: any number of features fits the width of a terminal. */
function formatAnswer({ evaluated_at, rows, never_materialized, entities, columns }: WrittenAnswer): string {
  const keys = Object.keys(entities);
  const cells = Array.from({ length: rows }, (_, row) =>
    Object.entries(columns).map(([feature, { values, statuses, is_default }]) => ({
      ...Object.fromEntries(keys.map((key) => [key, entities[key]?.values[row]])),
      feature,
      value: values[row],
      status: `${statuses[row]}${is_default[row] ? ', default' : ''}`,
    })),
  ).flat();
  const hint = never_materialized.map(
    (view) => `view "${view}" was never materialized; run featherflight materialize-incremental\n`,
  );
  return `as of ${evaluated_at}\n${printTable([...keys, 'feature', 'value', 'status'], cells)}${hint.join('')}`;
}
