/**
 * From what is asked for to what must be looked up and computed, and the columns that come out: training sets and online answers
 * both stand on this.
 */
import type { KeyType } from '../definitions/value-type.ts';
import { FeatureStoreError } from '../errors.ts';
import type { FeatureDocument, OnDemandViewDocument, RegistryDocument, SourceDocument, ViewDocument } from './document.ts';
import { findNamed, findView, listWanted, type Selection, unknownName } from './references.ts';

export interface FeatureRequest extends Selection {
  /** Names columns `view__feature`. */
  readonly fullFeatureNames: boolean;
  /** By view or prefix: join key -> column of the request, where they differ. */
  readonly keys: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** One view joined by one set of the request's columns. */
export interface ResolvedLookup {
  readonly view: ViewDocument;
  readonly source: SourceDocument;
  /** The view's name, or the prefix it is joined under. */
  readonly label: string;
  readonly keys: readonly { readonly joinKey: string; readonly type: KeyType; readonly column: string }[];
}

/** A feature that is looked up, whether it comes out or only a transform reads it. */
export interface ResolvedFeature {
  /** Position in `lookups`. */
  readonly lookup: number;
  readonly feature: FeatureDocument;
}

export interface ResolvedTransform {
  readonly view: OnDemandViewDocument;
  /** The view's name, or the prefix its features come out under. */
  readonly label: string;
  /** Positions in `features`: what it reads, in the order of its inputs and of the features of each. */
  readonly inputs: readonly number[];
}

/** A column that comes out: a looked-up feature, or one of those that a transform computes. */
export type ResolvedOutput =
  | { readonly kind: 'feature'; readonly name: string; readonly feature: number }
  | { readonly kind: 'computed'; readonly name: string; readonly transform: number; readonly output: number };

/** A value of the request that transforms read. */
export interface RequestValue {
  readonly name: string;
  readonly type: string;
  /** The on-demand views that read it. */
  readonly views: readonly string[];
}

export interface Resolution {
  readonly lookups: readonly ResolvedLookup[];
  readonly features: readonly ResolvedFeature[];
  readonly transforms: readonly ResolvedTransform[];
  /** In the order asked for. */
  readonly outputs: readonly ResolvedOutput[];
  readonly request: readonly RequestValue[];
}

/** Resolves every name; one that does not exist, or stands for two things, is refused by name. */
export function resolveFeatures(registry: RegistryDocument, request: FeatureRequest): Resolution {
  const wanted = listWanted(registry, request).map((reference) => ({
    ...reference,
    view: findView(registry, reference.view),
    label: reference.prefix ?? reference.view,
    isPrefixed: reference.prefix !== undefined || request.fullFeatureNames,
  }));
  const lookups: ResolvedLookup[] = [];
  const features: ResolvedFeature[] = [];
  const transforms: ResolvedTransform[] = [];
  const outputs: ResolvedOutput[] = [];
  const labels = new Map<string, ViewDocument | OnDemandViewDocument>();
  const lookupOf = new Map<string, number>();

  const addFeature = (lookup: number, view: ViewDocument, name: string): number => {
    const feature = findNamed(view.features, 'feature', name, ` in view "${view.name}"`);
    const at = features.findIndex((known) => known.lookup === lookup && known.feature === feature);
    return at >= 0 ? at : features.push({ lookup, feature }) - 1;
  };

  for (const { view, label } of wanted) {
    const other = labels.get(label);
    if (other !== undefined && other !== view) throw sharedLabel(label, other, view);
    labels.set(label, view);
  }
  // What is asked for comes before what only transforms read: inputs are joined as the request joins their view.
  for (const [at, { view, label, feature, keys, isPrefixed }] of wanted.entries()) {
    if (view.kind === 'onDemand') continue;
    let lookup = lookupOf.get(label);
    if (lookup === undefined) {
      lookup = lookups.push(resolveLookup(registry, request, view, label, keys)) - 1;
      lookupOf.set(label, lookup);
    }
    const name = isPrefixed ? `${label}__${feature}` : feature;
    outputs[at] = { kind: 'feature', name, feature: addFeature(lookup, view, feature) };
  }

  const addInput = (label: string, view: ViewDocument, keys: Readonly<Record<string, string>>): number => {
    const asked = lookups[lookupOf.get(label) ?? -1];
    const joined = asked?.view === view ? Object.fromEntries(asked.keys.map((key) => [key.joinKey, key.column])) : {};
    const lookup = resolveLookup(registry, request, view, label, { ...joined, ...keys });
    const at = lookups.findIndex((known) => known.view === view && columnsOf(known) === columnsOf(lookup));
    return at >= 0 ? at : lookups.push(lookup) - 1;
  };
  for (const [at, { view, label, feature, isPrefixed }] of wanted.entries()) {
    if (view.kind !== 'onDemand') continue;
    const output = view.features.indexOf(findNamed(view.features, 'feature', feature, ` in view "${view.name}"`));
    let transform = transforms.findIndex((known) => known.label === label);
    if (transform < 0) {
      const inputs = view.inputs.flatMap((input) => {
        const read = findNamed(registry.views, 'feature view', input.view, ` (an input of "${view.name}")`);
        const lookup = addInput(input.prefix ?? input.view, read, input.keys ?? {});
        return input.features.map((name) => addFeature(lookup, read, name));
      });
      transform = transforms.push({ view, label, inputs }) - 1;
    }
    outputs[at] = { kind: 'computed', name: isPrefixed ? `${label}__${feature}` : feature, transform, output };
  }
  refuseUnusedKeys(request, lookups);
  return { lookups, features, transforms, outputs, request: mergeRequestValues(transforms) };
}

/** The names of all columns that an output yields (rules 4.2 and 4.4). */
export function outputColumnNames(name: string, statuses: boolean): readonly string[] {
  return statuses ? [name, `${name}__status`, `${name}__event_timestamp`, `${name}__is_default`] : [name];
}

/** A name that stands in the answer already, and what it is the name of. */
export interface TakenName {
  readonly name: string;
  /** Such as `column "lat" of the frame`. */
  readonly origin: string;
}

/** Refuses columns of the answer that would share a name, with each other or with `taken` (rule 4.2). */
export function refuseCollisions(resolution: Resolution, statuses: boolean, taken: readonly TakenName[]): void {
  const origins = new Map(taken.map(({ name, origin }) => [name, origin]));
  for (const output of resolution.outputs) {
    const origin = `feature "${referenceOf(resolution, output)}"`;
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

/** `label:feature` of an output. */
function referenceOf({ lookups, features, transforms }: Resolution, output: ResolvedOutput): string {
  if (output.kind === 'computed') {
    const { label, view } = transforms[output.transform] as ResolvedTransform;
    return `${label}:${view.features[output.output]?.name}`;
  }
  const { lookup, feature } = features[output.feature] as ResolvedFeature;
  return `${lookups[lookup]?.label}:${feature.name}`;
}

function resolveLookup(
  registry: RegistryDocument,
  request: FeatureRequest,
  view: ViewDocument,
  label: string,
  given: Readonly<Record<string, string>>,
): ResolvedLookup {
  const source = registry.sources.find((candidate) => candidate.name === view.source);
  if (source === undefined)
    throw new FeatureStoreError('INTERNAL', `view "${view.name}" names source "${view.source}", which was not applied`);
  const renamed = own(request.keys, label) ?? {};
  for (const joinKey of Object.keys(renamed)) {
    const names = view.keys.map((key) => key.name);
    if (!names.includes(joinKey)) throw unknownName('join key', joinKey, names, ` in view "${view.name}" (named in keys)`);
  }
  const keys = view.keys.map(({ name, type }) => ({
    joinKey: name,
    type,
    column: own(renamed, name) ?? own(given, name) ?? name,
  }));
  return { view, source, label, keys };
}

function columnsOf(lookup: ResolvedLookup): string {
  return JSON.stringify(lookup.keys.map((key) => key.column));
}

/** Each value once; one name with two types would have to be two columns. */
function mergeRequestValues(transforms: readonly ResolvedTransform[]): readonly RequestValue[] {
  const values = new Map<string, { name: string; type: string; views: string[] }>();
  for (const { view } of transforms) {
    for (const { name, type } of view.request) {
      const known = values.get(name);
      if (known === undefined) values.set(name, { name, type, views: [view.name] });
      else if (known.type !== type) {
        throw new FeatureStoreError(
          'INVALID_ARGUMENT',
          `request value "${name}" is ${known.type} for "${known.views[0]}" and ${type} for "${view.name}"; ask for them apart`,
          { details: { request: name } },
        );
      } else if (!known.views.includes(view.name)) known.views.push(view.name);
    }
  }
  return [...values.values()];
}

function refuseUnusedKeys(request: FeatureRequest, lookups: readonly ResolvedLookup[]): void {
  const labels = lookups.map((lookup) => lookup.label);
  for (const label of Object.keys(request.keys)) {
    if (!labels.includes(label)) throw unknownName('view or prefix', label, labels, ' in this request (named in keys)');
  }
}

function sharedLabel(label: string, one: { name: string }, other: { name: string }): FeatureStoreError {
  return new FeatureStoreError(
    'INVALID_ARGUMENT',
    `"${label}" would stand for two views, ${one.name} and ${other.name}; give one of them another prefix`,
  );
}

/** A member of a record that a client fills: `constructor` is a name like any other. */
function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}
