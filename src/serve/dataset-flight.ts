/** Saved datasets over Flight: DoAction's types, and the entries of the catalogue. */
import { z } from 'zod';
import type { Caller } from '../access/caller.ts';
import type { RequiredScope } from '../access/scope.ts';
import { type DatasetRow, datasetRow } from '../dataset/shown.ts';
import { asFeatureStoreError, FeatureStoreError } from '../errors.ts';
import type { FlightInfo } from '../flight/protocol.ts';
import { streamProgress } from '../http/stream-progress.ts';
import type { DatasetActions, TellingDatasets } from './dataset-actions.ts';
import { encodeJson, parseJsonObject } from './wire-json.ts';

const reference = z.string().min(1);
const schemas = {
  create_dataset: z.record(z.string(), z.unknown()),
  describe_dataset: z.strictObject({ dataset: reference }),
  dataset_vocabulary: z.strictObject({ dataset: reference, column: z.string() }),
  diff_datasets: z.strictObject({ from: reference, to: reference }),
  tag_dataset: z.record(z.string(), z.unknown()),
  reproduce_dataset: z.strictObject({ dataset: reference }),
  delete_dataset: z.strictObject({ dataset: reference, force: z.boolean().default(false) }),
} as const;

export type DatasetActionType = keyof typeof schemas;

export const datasetActionTypes = [
  {
    type: 'create_dataset',
    description:
      '{"name": …, "upload" | "path", "features" | "service", "split"?, "labels"?, "expectations"?, "description"?, "force_new"?, … as get_historical_features}: saves a training set; results as those of materialize',
  },
  { type: 'describe_dataset', description: '{"dataset": NAME or NAME@VERSION}: its recipe, columns, statistics, gates and tags' },
  {
    type: 'dataset_vocabulary',
    description: '{"dataset": …, "column": …}: the values of a column of text, in the order of their ids from 1 on',
  },
  { type: 'diff_datasets', description: '{"from": …, "to": …}: how two versions differ' },
  {
    type: 'tag_dataset',
    description: '{"dataset": …, "model": name, "version"?, "remove"?: bool}: says that a model was trained on it',
  },
  {
    type: 'reproduce_dataset',
    description: '{"dataset": …}: computes it once more and compares, or says what changed; results as those of materialize',
  },
  {
    type: 'delete_dataset',
    description: '{"dataset": …, "force"?: bool}: removes a version for good; forced also while it is read or tagged',
  },
] as const;

export const datasetActionScopes: Readonly<Record<DatasetActionType, RequiredScope>> = {
  create_dataset: 'write',
  describe_dataset: 'read-offline',
  dataset_vocabulary: 'read-offline',
  diff_datasets: 'read-offline',
  tag_dataset: 'write',
  reproduce_dataset: 'read-offline',
  delete_dataset: 'write',
};

export function isDatasetAction(type: string): type is DatasetActionType {
  return Object.hasOwn(schemas, type);
}

/** The action's results. */
export async function* runDatasetAction(
  actions: DatasetActions,
  type: DatasetActionType,
  input: unknown,
  caller: Caller,
  signal: AbortSignal,
): AsyncGenerator<unknown> {
  switch (type) {
    case 'create_dataset':
      yield* streamProgress((onProgress) => actions.create(input, caller, signal, onProgress));
      break;
    case 'describe_dataset':
      yield await actions.describe(parse(type, input).dataset, caller);
      break;
    case 'dataset_vocabulary': {
      const { dataset, column } = parse(type, input);
      yield { values: await actions.vocabulary(dataset, column, caller) };
      break;
    }
    case 'diff_datasets': {
      const { from, to } = parse(type, input);
      yield await actions.diff(from, to, caller);
      break;
    }
    case 'tag_dataset':
      yield await actions.tag(input, caller);
      break;
    case 'reproduce_dataset': {
      const { dataset } = parse(type, input);
      yield* streamProgress((onProgress) => actions.reproduce(dataset, caller, signal, onProgress));
      break;
    }
    case 'delete_dataset': {
      const { dataset, force } = parse(type, input);
      yield await actions.remove(dataset, force, caller);
      break;
    }
  }
}

/** A dataset among the flights; a damaged one has neither schema nor rows. */
function datasetFlight(row: DatasetRow, schema: Uint8Array): FlightInfo {
  return {
    schema,
    descriptor: { type: 'path', path: ['datasets', row.name] },
    endpoints: [],
    totalRecords: BigInt((row.rows as number | null) ?? -1),
    totalBytes: -1n,
    ordered: true,
    metadata: encodeJson(row),
  };
}

/** All datasets as flights; one that is deleted or damaged meanwhile hides no other. */
export async function* listDatasetFlights(actions: TellingDatasets, caller: Caller): AsyncGenerator<FlightInfo> {
  for (const row of await actions.list(undefined, caller)) {
    if (row.damaged != null) {
      yield datasetFlight(row, new Uint8Array(0));
      continue;
    }
    try {
      yield await describeDatasetFlight(actions, row.name, caller);
    } catch (error) {
      const { code, message } = asFeatureStoreError(error);
      if (code === 'NOT_FOUND') continue;
      yield datasetFlight({ ...row, rows: null, damaged: message }, new Uint8Array(0));
    }
  }
}

/** One dataset by its path in the catalogue. */
export async function describeDatasetFlight(actions: TellingDatasets, name: string, caller: Caller): Promise<FlightInfo> {
  const shown = await actions.describe(name, caller);
  return datasetFlight(datasetRow(shown), Buffer.from(shown.schema, 'base64'));
}

/** What `list` and `describe` say where they are asked for datasets; undefined where they are asked for something else. */
export async function findDatasets(
  actions: TellingDatasets,
  type: 'list' | 'describe',
  body: Uint8Array,
  caller: Caller,
): Promise<unknown> {
  const { kind, name } = body.length === 0 ? {} : parseJsonObject(body, `the body of action "${type}"`);
  if (type === 'list')
    return kind === 'datasets'
      ? { kind, rows: await actions.list(typeof name === 'string' ? name : undefined, caller) }
      : undefined;
  const isOne = kind === 'datasets' || (kind == null && typeof name === 'string' && name.includes('@'));
  if (!isOne || typeof name !== 'string') return undefined;
  return { rows: [{ ...datasetRow(await actions.describe(name, caller)), kind_of: 'datasets' }] };
}

function parse<T extends DatasetActionType>(type: T, input: unknown): z.output<(typeof schemas)[T]> {
  const parsed = schemas[type].safeParse(input);
  if (parsed.success) return parsed.data as z.output<(typeof schemas)[T]>;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'the body'}: ${issue.message}`);
  throw new FeatureStoreError('INVALID_ARGUMENT', `action "${type}" is refused: ${problems.join('; ')}`, {
    details: { problems },
  });
}
