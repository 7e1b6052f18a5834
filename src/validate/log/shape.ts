/** What rows of the feature log have in common: what was asked, of which definitions, and so which columns there are. */
import { createHash } from 'node:crypto';
import { type Field, field } from '../../arrow/schema.ts';
import { formatValueType, parseValueType, type ValueType } from '../../definitions/value-type.ts';
import { featureField } from '../../offline/feature-field.ts';
import type { OnlineAnswer } from '../../online/retrieve/answer.ts';
import type { PlannedColumn } from '../../online/retrieve/plan.ts';
import type { RegistryDocument } from '../../registry/document.ts';
import { listWanted } from '../../registry/references.ts';
import { type Resolution, type ResolvedLookup, type ResolvedOutput, resolveFeatures } from '../../registry/resolve.ts';

/** `shape.json` in a folder of the log, beside the files of its rows. Types are value types as formatValueType spells them. */
export interface LogShape {
  readonly format: 1;
  /** The name of its folder: a hash of everything else here. */
  readonly id: string;
  readonly project: string;
  /** The version of the definitions that were served. */
  readonly version: number;
  /** null where features were asked for by reference. */
  readonly service: string | null;
  /** `view:feature` or `view@prefix:feature`, in the order asked for; those of the service where one was asked for. */
  readonly features: readonly string[];
  /** By view or prefix: join key -> column, where they differ. With `features` it asks for the same rows of history. */
  readonly keys: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly fullFeatureNames: boolean;
  /** The names of the log's own columns: those of their meaning, with `__` in front where a name is another column's. */
  readonly own: Readonly<Record<OwnColumn, string>>;
  /** The columns of the request, which make a file of the log an entity frame: a join key, or a value that transforms read. */
  readonly columns: readonly { readonly name: string; readonly type: string; readonly role: 'key' | 'request' }[];
  readonly lookups: readonly LoggedLookup[];
  /** In the order of `features`. `name`, `name__status`, `name__event_timestamp` and `name__is_default` are columns. */
  readonly outputs: readonly LoggedOutput[];
  /** By whose key rows are sampled, and the columns that hold it; null where the request has none: then by request. */
  readonly sampledBy: { readonly entity: string; readonly columns: readonly string[] } | null;
}

/** `evaluatedAt` is T, `reader` the id of the token that asked (null without one), `replica` the process that answered. */
export type OwnColumn = 'evaluatedAt' | 'requestId' | 'reader' | 'replica';

export interface LoggedLookup {
  /** The view's name, or the prefix it is joined under. */
  readonly label: string;
  readonly view: string;
  readonly kind: 'batch' | 'stream';
  readonly keys: readonly { readonly joinKey: string; readonly type: string; readonly column: string }[];
  /**
   * The column that says how far the view was known to be by T, in event time; null where nothing was known. Of a batch view up to when it
   * was materialized, of a stream view the least over partitions of the greatest event time that was applied.
   */
  readonly progress: string;
}

export interface LoggedOutput {
  readonly name: string;
  readonly view: string;
  readonly feature: string;
  readonly label: string;
  readonly type: string;
  readonly kind: 'feature' | 'computed';
}

/** The shape of an answer's rows; `by` names the entity whose key samples, where a look-up has it. */
export function describeShape({ origin: { registry, plan, request } }: Pick<OnlineAnswer, 'origin'>, by?: string): LogShape {
  const { features, service, keys = {}, fullFeatureNames = false } = request;
  const selection = { features, service };
  const resolution = resolveFeatures(registry, { ...selection, keys, fullFeatureNames });
  const columns = plan.columns.map((column) => ({
    name: column.name,
    type: formatValueType(loggedType(column)),
    role: column.keyTypes.length > 0 ? ('key' as const) : ('request' as const),
  }));
  const references = listWanted(registry, selection).map(({ view, prefix, feature }) =>
    prefix === undefined ? `${view}:${feature}` : `${view}@${prefix}:${feature}`,
  );
  const outputs = resolution.outputs.map((output) => describeOutput(resolution, output));
  const taken = new Set([...columns, ...outputs].map(({ name }) => name));
  const own = (name: string) => (taken.has(name) ? `__${name}` : name);
  const shape = {
    format: 1 as const,
    project: registry.project,
    version: registry.version,
    service: service ?? null,
    features: references,
    keys: renamedKeys(resolution),
    fullFeatureNames,
    own: { evaluatedAt: own('evaluated_at'), requestId: own('request_id'), reader: own('reader'), replica: own('replica') },
    columns,
    lookups: resolution.lookups.map((lookup, at) => describeLookup(lookup, at)),
    outputs,
    sampledBy: samplingKey(registry, resolution, by),
  };
  return { ...shape, id: createHash('sha256').update(JSON.stringify(shape)).digest('hex').slice(0, 32) };
}

/** The fields of a file of the log. */
export function shapeFields({ own, columns, lookups, outputs }: LogShape): readonly Field[] {
  return [
    field(own.evaluatedAt, instant),
    field(own.requestId, { id: 'utf8' }),
    field(own.reader, { id: 'utf8' }),
    field(own.replica, { id: 'utf8' }),
    ...columns.map(({ name, type }) => featureField(name, parseValueType(type))),
    ...lookups.map(({ progress }) => field(progress, instant)),
    ...outputs.flatMap(({ name, type }) => [
      featureField(name, parseValueType(type)),
      field(`${name}__status`, { id: 'utf8' }),
      field(`${name}__event_timestamp`, instant),
      field(`${name}__is_default`, { id: 'bool' }),
    ]),
  ];
}

const instant = { id: 'timestamp', unit: 'us', timezone: 'UTC' } as const;

/**
 * The type in which a column of a request is logged: that of the transforms' value where it is a number, which keys are read from by
 * value (rule 2.2), otherwise that of the widest key.
 */
export function loggedType({ keyTypes, requestType }: PlannedColumn): ValueType {
  if (requestType !== undefined && (keyTypes.length === 0 || numbers.includes(requestType.kind))) return requestType;
  return { kind: keyTypes.includes('int64') ? 'int64' : keyTypes[0] } as ValueType;
}

const numbers: readonly string[] = ['int32', 'int64', 'float32', 'float64'];

function describeOutput({ lookups, features, transforms }: Resolution, output: ResolvedOutput): LoggedOutput {
  if (output.kind === 'computed') {
    const { view, label } = transforms[output.transform] as Resolution['transforms'][number];
    const { name: feature, type } = view.features[output.output] as (typeof view.features)[number];
    return { name: output.name, view: view.name, feature, label, type, kind: 'computed' };
  }
  const { lookup, feature } = features[output.feature] as Resolution['features'][number];
  const { view, label } = lookups[lookup] as ResolvedLookup;
  return { name: output.name, view: view.name, feature: feature.name, label, type: feature.type, kind: 'feature' };
}

/** Two look-ups may have one label: that of what is asked for, and that of what a transform reads by other keys. */
function describeLookup({ label, view, keys }: ResolvedLookup, at: number): LoggedLookup {
  const { name, kind } = view;
  return { label, view: name, kind, keys: keys.map((key) => ({ ...key })), progress: `__progress_${at}.${label}` };
}

function renamedKeys({ lookups }: Resolution): LogShape['keys'] {
  const renamed: Record<string, Record<string, string>> = {};
  for (const { label, keys } of lookups) {
    const differing = keys.filter(({ joinKey, column }) => joinKey !== column);
    if (differing.length === 0 || Object.hasOwn(renamed, label)) continue;
    renamed[label] = Object.fromEntries(differing.map(({ joinKey, column }) => [joinKey, column]));
  }
  return renamed;
}

/** The first look-up with the entity decides, or without a name the first entity of the first look-up that has one. */
function samplingKey(registry: RegistryDocument, { lookups }: Resolution, by: string | undefined): LogShape['sampledBy'] {
  const lookup = lookups.find(({ view }) => by !== undefined && view.entities.includes(by));
  const chosen = lookup ?? lookups.find(({ view }) => view.entities.length > 0);
  const name = lookup === undefined ? chosen?.view.entities[0] : by;
  const entity = registry.entities.find((candidate) => candidate.name === name);
  if (chosen === undefined || entity === undefined) return null;
  const columns = entity.joinKeys.map((key) => chosen.keys.find(({ joinKey }) => joinKey === key.name)?.column as string);
  return { entity: entity.name, columns };
}
