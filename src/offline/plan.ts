/** From a request, the applied definitions and the frame's schema to a plan: which look-ups, and which columns come out. */
import type { Field, Schema } from '../arrow/schema.ts';
import { parseDurationUs } from '../definitions/duration.ts';
import { parseInstantUs } from '../definitions/literal.ts';
import type { KeyType } from '../definitions/value-type.ts';
import { didYouMean, FeatureStoreError } from '../errors.ts';
import type { FeatureDocument, RegistryDocument, SourceDocument, ViewDocument } from '../registry/document.ts';
import { type FeatureReference, type HistoricalRequest, parseFeatureReference } from './request.ts';
import { checkTimezone } from './zone.ts';

/** One view looked up under one mapping of its keys. */
export interface LookupPlan {
  readonly view: ViewDocument;
  readonly source: SourceDocument;
  /** The view's name, or the prefix it is joined under. */
  readonly label: string;
  readonly keys: readonly { readonly joinKey: string; readonly type: KeyType; readonly column: string; readonly index: number }[];
  readonly asKnown: boolean;
  readonly delayUs: bigint;
  /** 0: no row is too old. */
  readonly ttlUs: bigint;
}

/** One feature of the answer: the column `name`, and with statuses the three that follow it. */
export interface OutputPlan {
  readonly lookup: number;
  readonly feature: FeatureDocument;
  readonly name: string;
}

export interface RetrievalPlan {
  /** The frame's column that holds T, or one T for all rows. */
  readonly time:
    | { readonly kind: 'column'; readonly name: string; readonly index: number }
    | { readonly kind: 'at'; readonly us: bigint };
  readonly timezone: string | undefined;
  readonly lookups: readonly LookupPlan[];
  readonly outputs: readonly OutputPlan[];
  readonly statuses: boolean;
}

interface Wanted extends FeatureReference {
  readonly keys: Readonly<Record<string, string>>;
}

/** Plans a retrieval; every name that does not exist, is missing or meets another is refused by name. */
export function planRetrieval(
  registry: RegistryDocument,
  request: HistoricalRequest,
  frame: Schema,
  nowUs: bigint,
): RetrievalPlan {
  const wanted = listWanted(registry, request);
  const lookups: LookupPlan[] = [];
  const outputs: OutputPlan[] = [];
  const lookupOf = new Map<string, number>();
  for (const reference of wanted) {
    const view = findView(registry, reference.view);
    const feature = findFeature(view, reference.feature);
    const label = reference.prefix ?? view.name;
    let at = lookupOf.get(label);
    if (at === undefined) {
      at = lookups.push(planLookup(registry, request, frame, view, label, reference.keys)) - 1;
      lookupOf.set(label, at);
    } else if (lookups[at]?.view !== view) {
      const other = lookups[at]?.view.name;
      throw new FeatureStoreError(
        'INVALID_ARGUMENT',
        `"${label}" would stand for two views, ${other} and ${view.name}; give one of them another prefix`,
      );
    }
    const prefixed = reference.prefix !== undefined || request.full_feature_names;
    outputs.push({ lookup: at, feature, name: prefixed ? `${label}__${feature.name}` : feature.name });
  }
  if (request.timezone != null) checkTimezone(request.timezone);
  refuseUnusedKeys(request, lookups);
  refuseCollisions(frame, request.statuses, lookups, outputs);
  return Object.freeze({
    time: planTime(request, frame, nowUs),
    timezone: request.timezone ?? undefined,
    lookups,
    outputs,
    statuses: request.statuses,
  });
}

/** The views that a request will look up, each with its source; names that do not exist are left for the plan to refuse. */
export function listSources(
  registry: RegistryDocument,
  request: Pick<HistoricalRequest, 'features' | 'service'>,
): { readonly view: ViewDocument; readonly source: SourceDocument }[] {
  const service = registry.services.find((candidate) => candidate.name === request.service);
  const references = request.features ?? [];
  const names = new Set([
    ...references.map((text) => text.split(/[@:]/)[0]),
    ...(service?.features ?? []).map((part) => part.view),
  ]);
  return registry.views
    .filter((view) => names.has(view.name))
    .flatMap((view) => registry.sources.filter((source) => source.name === view.source).map((source) => ({ view, source })));
}

/** The names of all columns that an output yields. */
function outputColumnNames(name: string, statuses: boolean): readonly string[] {
  return statuses ? [name, `${name}__status`, `${name}__event_timestamp`, `${name}__is_default`] : [name];
}

function listWanted(registry: RegistryDocument, request: HistoricalRequest): Wanted[] {
  if (request.features != null) return request.features.map((text) => ({ ...parseFeatureReference(text), keys: {} }));
  const service = registry.services.find((candidate) => candidate.name === request.service);
  if (service === undefined) {
    const names = registry.services.map((candidate) => candidate.name);
    throw unknownName('feature service', request.service as string, names);
  }
  return service.features.flatMap(({ view, prefix, keys, features }) =>
    features.map((feature) => ({ view, prefix, feature, keys: keys ?? {} })),
  );
}

function planLookup(
  registry: RegistryDocument,
  request: HistoricalRequest,
  frame: Schema,
  view: ViewDocument,
  label: string,
  serviceKeys: Readonly<Record<string, string>>,
): LookupPlan {
  const source = registry.sources.find((candidate) => candidate.name === view.source);
  if (source === undefined)
    throw new FeatureStoreError('INTERNAL', `view "${view.name}" names source "${view.source}", which was not applied`);
  const renamed = own(request.keys, label) ?? {};
  for (const joinKey of Object.keys(renamed)) {
    const names = view.keys.map((key) => key.name);
    if (!names.includes(joinKey)) throw unknownName('join key', joinKey, names, ` in view "${view.name}" (named in keys)`);
  }
  const keys = view.keys.map(({ name, type }) => {
    const column = own(renamed, name) ?? own(serviceKeys, name) ?? name;
    return {
      joinKey: name,
      type,
      column,
      index: findColumn(frame, column, `view "${label}" needs join key "${name}"`, {
        option: 'keys',
        hint: keyHint(label, name),
      }),
    };
  });
  return {
    view,
    source,
    label,
    keys,
    asKnown: (request.as_known ?? view.asKnown) && source.createdTimestamp !== undefined,
    delayUs: view.delay === undefined ? 0n : parseDurationUs(view.delay),
    ttlUs: view.ttl === undefined ? 0n : parseDurationUs(view.ttl),
  };
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

function findView(registry: RegistryDocument, name: string): ViewDocument {
  const view = registry.views.find((candidate) => candidate.name === name);
  const names = registry.views.map((candidate) => candidate.name);
  if (view === undefined) throw unknownName('feature view', name, names);
  return view;
}

function findFeature(view: ViewDocument, name: string): FeatureDocument {
  const feature = view.features.find((candidate) => candidate.name === name);
  const names = view.features.map((candidate) => candidate.name);
  if (feature === undefined) throw unknownName(`feature`, name, names, ` in view "${view.name}"`);
  return feature;
}

function unknownName(kind: string, name: string, valid: readonly string[], where = ''): FeatureStoreError {
  const known = valid.length === 0 ? '; none has been applied' : valid.length <= 8 ? `; there are ${valid.join(', ')}` : '';
  const message = `there is no ${kind} "${name}"${where}${didYouMean(name, valid) || known}`;
  return new FeatureStoreError('NOT_FOUND', message, { details: { kind, name } });
}

/** A member of a record that a client fills: `constructor` is a name like any other. */
function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

function keyHint(label: string, joinKey: string): string {
  return `add the column, or name another one with keys={"${label}": {"${joinKey}": "<column>"}}`;
}

/** The member of a request that would help, and how. */
interface Remedy {
  readonly option: keyof HistoricalRequest;
  readonly hint: string;
}

function findColumn(frame: Schema, column: string, need: string, { option, hint }: Remedy): number {
  const names = frame.fields.map((field: Field) => field.name);
  const index = names.indexOf(column);
  if (index < 0) {
    const near = didYouMean(column, names);
    const have = near === '' ? `; it has ${names.slice(0, 20).join(', ') || 'no columns'}` : near;
    throw new FeatureStoreError('INVALID_ARGUMENT', `${need}, but the frame has no column "${column}"${have} (${hint})`, {
      details: { column, columns: names, option },
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

function refuseUnusedKeys(request: HistoricalRequest, lookups: readonly LookupPlan[]): void {
  const labels = lookups.map((lookup) => lookup.label);
  for (const label of Object.keys(request.keys)) {
    if (!labels.includes(label)) throw unknownName('view or prefix', label, labels, ' in this request (named in keys)');
  }
}

function refuseCollisions(
  frame: Schema,
  statuses: boolean,
  lookups: readonly LookupPlan[],
  outputs: readonly OutputPlan[],
): void {
  const origins = new Map(frame.fields.map((field) => [field.name, `column "${field.name}" of the frame`]));
  for (const output of outputs) {
    const label = lookups[output.lookup]?.label as string;
    const origin = `feature "${label}:${output.feature.name}"`;
    for (const name of outputColumnNames(output.name, statuses)) {
      const other = origins.get(name);
      if (other !== undefined) {
        const problem = `two columns of the answer would be named "${name}": ${other} and ${origin}`;
        if (other === origin) {
          throw new FeatureStoreError('INVALID_ARGUMENT', `${problem}; ask for it once`, { details: { column: name } });
        }
        const fix = 'use full_feature_names=True, a prefix (view@prefix:feature), or rename the column';
        throw new FeatureStoreError('INVALID_ARGUMENT', `${problem}; ${fix}`, {
          details: { column: name, option: 'full_feature_names' },
        });
      }
      origins.set(name, origin);
    }
  }
}

/** Whether a frame's values, not only its types, decide if the plan can be carried out: keys that convert by value, local times. */
export function readsAnyValue(plan: RetrievalPlan, frame: Schema): boolean {
  const fieldAt = (index: number) => frame.fields[index] as Field;
  const time = plan.time.kind === 'column' ? fieldAt(plan.time.index).type : undefined;
  const zoned =
    time === undefined || (time.id === 'timestamp' && time.timezone !== undefined && (time.unit === 'us' || time.unit === 'ns'));
  if (!zoned) return true;
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
