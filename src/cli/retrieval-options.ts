/** The options of a retrieval as a command line spells them, and the request that they make. */
import { type Command, Option } from 'commander';
import type { FeatureReport } from '../offline/answer/answer.ts';
import { type HistoricalRequest, parseHistoricalRequest } from '../offline/request.ts';
import { refuseUsage } from './exit.ts';
import { printTable } from './print-table.ts';

export interface RetrievalOptions {
  readonly statuses?: true;
  /** true with --as-known, false with --no-as-known. */
  readonly asKnown?: boolean;
  readonly fullFeatureNames?: true;
  readonly timestamp: string;
  readonly timezone?: string;
  readonly at?: string;
  readonly keys: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** Adds the options that say how to join. */
export function addRetrievalOptions(command: Command): Command {
  return command
    .option('--statuses', 'add status, event timestamp and is_default of every feature')
    .option('--as-known', 'take each row only from its created timestamp on')
    .addOption(new Option('--no-as-known', 'take rows as they are, whatever the views say'))
    .option('--full-feature-names', 'name columns view__feature')
    .option('--timestamp <column>', 'column of the frame with the time of each row', 'event_timestamp')
    .option('--timezone <zone>', 'IANA zone of a timestamp column without one')
    .option('--at <instant>', 'one time for all rows: now, or an ISO instant')
    .addOption(
      new Option('--keys <view.key=column,…>', 'columns of the frame that hold join keys, where they differ')
        .argParser((text, before: RetrievalOptions['keys']) => parseKeys(text, before, command))
        .default({}, 'none'),
    );
}

/** The request for features of these options; a FeatureStoreError says what of it is wrong. */
export function makeRequest(
  options: RetrievalOptions,
  wanted: { features?: readonly string[]; service?: string },
): HistoricalRequest {
  return parseHistoricalRequest({
    type: 'get_historical_features',
    ...wanted,
    statuses: options.statuses === true,
    as_known: options.asKnown ?? null,
    full_feature_names: options.fullFeatureNames === true,
    timestamp: options.timestamp,
    timezone: options.timezone ?? null,
    at: options.at ?? null,
    keys: options.keys,
  });
}

const reportColumns = {
  name: 'FEATURE',
  present: 'PRESENT',
  null_value: 'NULL',
  out_of_range: 'OUT OF RANGE',
  not_found: 'NOT FOUND',
  outside_max_age: 'TOO OLD',
  defaults: 'DEFAULTS',
  ties: 'TIES',
} as const satisfies Partial<Record<keyof FeatureReport, string>>;

/** What became of every feature, as a table; sums outside their type have a column where there are any. */
export function printReport(rows: number, seconds: number, features: readonly FeatureReport[]): string {
  const isShown = (name: string) => name !== 'out_of_range' || features.some((feature) => feature.out_of_range > 0);
  const shown = Object.entries(reportColumns).filter(([name]) => isShown(name));
  const table = printTable(
    shown.map(([name]) => name),
    features as readonly (FeatureReport & Record<string, unknown>)[],
    shown.map(([, heading]) => heading),
  );
  return `${rows.toLocaleString('en')} rows in ${seconds} s\n${table}`.trimEnd();
}

/** `origin.faa=origin_id`: view or prefix, join key, column of the frame. */
function parseKeys(text: string, before: RetrievalOptions['keys'], command: Command): RetrievalOptions['keys'] {
  const keys: Record<string, Record<string, string>> = Object.fromEntries(
    Object.entries(before).map(([view, mapped]) => [view, { ...mapped }]),
  );
  for (const item of text.split(',')) {
    const [, view, key, column] = /^([^.=]+)\.([^=]+)=(.+)$/.exec(item) ?? [];
    if (view === undefined || key === undefined || column === undefined) {
      refuseUsage(command, `--keys "${item}" is not view.key=column, such as candidate.item_id=candidate_id`);
    }
    keys[view] = { ...keys[view], [key]: column };
  }
  return keys;
}
