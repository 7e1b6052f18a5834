/** From a request, the applied definitions and the frame's schema to a plan: which look-ups, and which columns come out. */
import type { Field, Schema } from '../arrow/schema.ts';
import { parseDurationUs } from '../definitions/duration.ts';
import { parseInstantUs } from '../definitions/literal.ts';
import { type KeyType, parseValueType } from '../definitions/value-type.ts';
import { didYouMean, FeatureStoreError } from '../errors.ts';
import type { RegistryDocument } from '../registry/document.ts';
import {
  type RequestValue,
  type ResolvedFeature,
  type ResolvedLookup,
  type ResolvedOutput,
  type ResolvedTransform,
  refuseCollisions,
  resolveFeatures,
} from '../registry/resolve.ts';
import { checkRequestColumn, isRequestField, type RequestColumn } from './frame/read-request.ts';
import type { HistoricalRequest } from './request.ts';
import { checkTimezone } from './zone.ts';

/** One view looked up under one mapping of its keys, each read from the frame's column at `index`. */
export interface LookupPlan extends ResolvedLookup {
  readonly keys: readonly (ResolvedLookup['keys'][number] & { readonly index: number })[];
  readonly asKnown: boolean;
  readonly delayUs: bigint;
  /** 0: no row is too old. */
  readonly ttlUs: bigint;
}

/** A request value in the frame's column at `index`. */
export interface RequestPlan extends RequestColumn {
  readonly index: number;
}

export interface RetrievalPlan {
  /** The frame's column that holds T, or one T for all rows. */
  readonly time:
    | { readonly kind: 'column'; readonly name: string; readonly index: number }
    | { readonly kind: 'at'; readonly us: bigint };
  readonly timezone: string | undefined;
  readonly lookups: readonly LookupPlan[];
  /** Everything that is looked up, what only transforms read included. */
  readonly features: readonly ResolvedFeature[];
  readonly transforms: readonly ResolvedTransform[];
  /** What transforms read of the request: columns of the frame. */
  readonly request: readonly RequestPlan[];
  /** The columns of the answer: with statuses, the three that follow each stand beside it. */
  readonly outputs: readonly ResolvedOutput[];
  readonly statuses: boolean;
}

/** Plans a retrieval; every name that does not exist, is missing or meets another is refused by name. */
export function planRetrieval(
  registry: RegistryDocument,
  request: HistoricalRequest,
  frame: Schema,
  nowUs: bigint,
): RetrievalPlan {
  const { features, service, keys } = request;
  const resolution = resolveFeatures(registry, { features, service, keys, fullFeatureNames: request.full_feature_names });
  const lookups = resolution.lookups.map((lookup) => planLookup(lookup, request, frame));
  if (request.timezone != null) checkTimezone(request.timezone);
  const values = resolution.request.map((value) => planRequestValue(value, frame));
  const taken = frame.fields.map(({ name }) => ({ name, origin: `column "${name}" of the frame` }));
  refuseCollisions(resolution, request.statuses, taken);
  return Object.freeze({
    time: planTime(request, frame, nowUs),
    timezone: request.timezone ?? undefined,
    lookups,
    features: resolution.features,
    transforms: resolution.transforms,
    request: values,
    outputs: resolution.outputs,
    statuses: request.statuses,
  });
}

function planLookup(lookup: ResolvedLookup, request: HistoricalRequest, frame: Schema): LookupPlan {
  const { view, source, label } = lookup;
  const keys = lookup.keys.map((key) => ({
    ...key,
    index: findColumn(frame, key.column, `view "${label}" needs join key "${key.joinKey}"`, {
      option: 'keys',
      hint: keyHint(label, key.joinKey),
    }),
  }));
  return {
    ...lookup,
    keys,
    asKnown: (request.as_known ?? view.asKnown) && source.createdTimestamp !== undefined,
    delayUs: view.delay === undefined ? 0n : parseDurationUs(view.delay),
    ttlUs: view.ttl === undefined ? 0n : parseDurationUs(view.ttl),
  };
}

function planRequestValue({ name, type: text, views }: RequestValue, frame: Schema): RequestPlan {
  const need = `on-demand view "${views[0]}" needs request value "${name}"`;
  const index = findColumn(frame, name, need, { hint: `add a column of ${text}` });
  const value = { name, type: parseValueType(text), views, index };
  checkRequestColumn(value, frame.fields[index] as Field);
  return value;
}

function planTime(request: HistoricalRequest, frame: Schema, nowUs: bigint): RetrievalPlan['time'] {
  if (request.at == null) {
    const hint = 'name the column with timestamp=…, or one instant for all rows with at=…';
    return {
      kind: 'column',
      name: request.timestamp,
      index: findColumn(frame, request.timestamp, 'the time of each row is needed', { option: 'timestamp', hint }),
    };
  }
  return { kind: 'at', us: request.at === 'now' ? nowUs : parseInstantUs(request.at) };
}

function keyHint(label: string, joinKey: string): string {
  return `add the column, or name another one with keys={"${label}": {"${joinKey}": "<column>"}}`;
}

/** The member of a request that would help, and how. */
interface Remedy {
  readonly option?: keyof HistoricalRequest;
  readonly hint: string;
}

function findColumn(frame: Schema, column: string, need: string, { option, hint }: Remedy): number {
  const names = frame.fields.map((field: Field) => field.name);
  const index = names.indexOf(column);
  if (index < 0) {
    const near = didYouMean(column, names);
    const have = near === '' ? `; it has ${names.slice(0, 20).join(', ') || 'no columns'}` : near;
    throw new FeatureStoreError('INVALID_ARGUMENT', `${need}, but the frame has no column "${column}"${have} (${hint})`, {
      details: { column, columns: names, ...(option === undefined ? {} : { option }) },
    });
  }
  if (names.indexOf(column, index + 1) >= 0) {
    throw new FeatureStoreError(
      'INVALID_ARGUMENT',
      `the frame has two columns "${column}", so it is not clear which one is meant; rename one`,
      { details: { column } },
    );
  }
  return index;
}

/** Whether a frame's values, not only its types, decide if the plan can be carried out: keys and request values that convert by value, local times. */
export function readsAnyValue(plan: RetrievalPlan, frame: Schema): boolean {
  const fieldAt = (index: number) => frame.fields[index] as Field;
  const time = plan.time.kind === 'column' ? fieldAt(plan.time.index).type : undefined;
  const zoned =
    time === undefined || (time.id === 'timestamp' && time.timezone !== undefined && (time.unit === 'us' || time.unit === 'ns'));
  if (!zoned) return true;
  if (plan.request.some(({ index, type }) => !isRequestField(fieldAt(index), type))) return true;
  return plan.lookups.some((lookup) => lookup.keys.some((key) => !alwaysConverts(fieldAt(key.index), key.type)));
}

/** Whether every value of a column is a key of that type, whatever it is. */
function alwaysConverts({ type, dictionary }: Field, key: KeyType): boolean {
  if (dictionary !== undefined) return false;
  switch (key) {
    case 'int32':
      return type.id === 'int' && (type.bits < 32 || (type.bits === 32 && type.signed));
    case 'int64':
      return type.id === 'int' && (type.bits < 64 || type.signed);
    case 'string':
      return type.id === 'utf8';
    case 'bytes':
      return type.id === 'binary';
    case 'bool':
      return type.id === 'bool';
  }
}
