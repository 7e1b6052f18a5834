/** `featherflight dataset create`: computes a training set and saves it as the next version of a name. */
import { Command } from 'commander';
import type { ShownDataset } from '../dataset/shown.ts';
import type { Context } from './context.ts';
import { type DatasetProgress, withDatasets } from './datasets-here.ts';
import { refuseUsage } from './exit.ts';
import { formatCreated } from './format-dataset.ts';
import { urlOption } from './remote.ts';
import { addRetrievalOptions, makeRequest, type RetrievalOptions } from './retrieval-options.ts';

interface Options extends RetrievalOptions {
  readonly entities: string;
  readonly service?: string;
  readonly features?: readonly string[];
  readonly label?: readonly string[];
  readonly splitTime?: string;
  readonly splitEntity?: string;
  readonly splitRandom?: string;
  readonly splitBy?: readonly string[];
  readonly seed: number;
  readonly expect?: readonly string[];
  readonly warn?: readonly string[];
  readonly description?: string;
  readonly forceNew?: true;
  readonly url?: string;
}

export function createCommand(context: Context): Command {
  const command = new Command('create')
    .description('compute a training set and save it as the next version')
    .argument('<name>', 'the name of the dataset')
    .requiredOption('--entities <file>', 'the entity frame: .parquet, .csv, .json, .jsonl or .arrow')
    .option('--service <name>', 'a feature service')
    .option('--features <list>', 'view:feature,… instead of a service', (text) => text.split(','))
    .option('--label <column...>', 'columns that are to be predicted')
    .option('--split-time <parts>', 'train=INSTANT,…,test: rows before each instant')
    .option('--split-entity <parts>', 'train=0.8,test=0.2 of entities (with --split-by)')
    .option('--split-random <parts>', 'train=0.8,test=0.2 of rows')
    .option('--split-by <column...>', 'columns that split: keys, or the time')
    .option('--seed <n>', 'the seed of a split', Number, 0)
    .option('--expect <rule...>', 'COLUMN:min=0,max=9 and max_null_rate=0.1, values=a|b, unique')
    .option('--warn <rule...>', 'the same, told and not insisted on')
    .option('--description <text>', 'what it is for')
    .option('--force-new', 'make a version even where the newest is the same')
    .addOption(urlOption(context));
  return addRetrievalOptions(command).action(async (name: string, options: Options) => {
    if ((options.service === undefined) === (options.features === undefined)) {
      refuseUsage(command, 'name either --service or --features');
    }
    const {
      type: _,
      batch_rows: __,
      compression: ___,
      ...retrieval
    } = makeRequest(options, { features: options.features, service: options.service });
    const request = {
      ...retrieval,
      name,
      split: readSplit(options, command),
      labels: options.label ?? [],
      expectations: { ...readRules(options.warn ?? [], 'warn', command), ...readRules(options.expect ?? [], 'fail', command) },
      description: options.description ?? null,
      force_new: options.forceNew === true,
    };
    const made = await withDatasets(context, options.url, (door) => door.create(request, options.entities, shower(context)));
    context.progress('');
    await context.write(context.json ? `${JSON.stringify(made)}\n` : formatCreated(made satisfies ShownDataset));
  });
}

/** Shows how far a dataset is. */
export function shower(context: Context): (progress: DatasetProgress) => void {
  return ({ step, done, of }) =>
    context.progress(
      of === null
        ? `${done.toLocaleString('en')} ${step}`
        : `${step}: ${done.toLocaleString('en')} of ${of.toLocaleString('en')}`,
    );
}

function readSplit(options: Options, command: Command): object | null {
  const { splitTime, splitEntity, splitRandom, splitBy, seed } = options;
  const ways = [splitTime, splitEntity, splitRandom].filter((way) => way !== undefined);
  if (ways.length > 1) refuseUsage(command, 'say one of --split-time, --split-entity and --split-random');
  if (splitTime !== undefined) {
    const boundaries = splitTime.split(',').map((part) => {
      const [name, until] = cut(part, '=');
      return until === undefined ? { name } : { name, until };
    });
    return { time: { column: splitBy?.[0] ?? null, boundaries } };
  }
  if (splitEntity !== undefined) {
    if (splitBy === undefined) refuseUsage(command, '--split-entity needs --split-by, the columns of the key');
    return { entity: { keys: splitBy, parts: readShares(splitEntity, command), seed } };
  }
  return splitRandom === undefined ? null : { random: { parts: readShares(splitRandom, command), seed } };
}

function readShares(text: string, command: Command): Readonly<Record<string, number>> {
  return Object.fromEntries(
    text.split(',').map((part) => {
      const [name, share] = cut(part, '=');
      const number = Number(share);
      if (share === undefined || !(number > 0)) refuseUsage(command, `"${part}" is not NAME=SHARE, such as train=0.8`);
      return [name, number];
    }),
  );
}

function readRules(rules: readonly string[], onFailure: 'fail' | 'warn', command: Command): Readonly<Record<string, object>> {
  return Object.fromEntries(
    rules.map((rule) => {
      const [column, said] = cut(rule, ':');
      if (said === undefined) refuseUsage(command, `"${rule}" is not COLUMN:RULE, such as age:min=0,max=120`);
      return [column, { ...Object.fromEntries(said.split(',').map((one) => readRule(one, command))), on_failure: onFailure }];
    }),
  );
}

function readRule(text: string, command: Command): readonly [string, unknown] {
  const [name, value] = cut(text, '=');
  if (name === 'unique' && value === undefined) return ['unique', true];
  if (value !== undefined && (name === 'min' || name === 'max')) return [name, numberOr(value)];
  if (value !== undefined && name === 'max_null_rate') return [name, Number(value)];
  if (value !== undefined && name === 'values') return [name, value.split('|')];
  return refuseUsage(command, `"${text}" is no rule: min=…, max=…, max_null_rate=…, values=a|b or unique`);
}

function numberOr(text: string): number | string {
  return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text) ? Number(text) : text;
}

function cut(text: string, at: string): readonly [string, string | undefined] {
  const place = text.indexOf(at);
  return place < 0 ? [text, undefined] : [text.slice(0, place), text.slice(place + 1)];
}
