/** From what is asked and what is applied to a plan: which rows to read, what comes out, and which columns the request must bring. */
import { decodeLiteral, type LiteralValue } from '../../definitions/literal.ts';
import { type KeyType, parseValueType, type ValueType } from '../../definitions/value-type.ts';
import type { FeatureDocument, RegistryDocument, ViewDocument } from '../../registry/document.ts';
import {
  type FeatureRequest,
  type Resolution,
  type ResolvedFeature,
  type ResolvedLookup,
  type ResolvedTransform,
  refuseCollisions,
  resolveFeatures,
} from '../../registry/resolve.ts';
import type { Transform, Transforms } from '../../transform/open-transform.ts';
import { compileLookup, type OnlineLookup } from '../encoding/lookup.ts';
import type { OnlineView } from '../view.ts';
import { compileWindowLookup, type WindowLookup } from '../windows/window-lookup.ts';
import type { WindowView } from '../windows/window-view.ts';
import { fittedDefinition } from './defaults.ts';

/** Carried out as often as one likes while the document is the applied one. */
export interface OnlinePlan {
  readonly lookups: readonly PlannedLookup[];
  /** What is looked up, what only transforms read included. */
  readonly features: readonly PlannedFeature[];
  readonly transforms: readonly PlannedTransform[];
  /** In the order asked for. */
  readonly outputs: readonly PlannedOutput[];
  /** Every column that the request must bring. */
  readonly columns: readonly PlannedColumn[];
}

export interface PlannedLookup {
  readonly lookup: OnlineLookup | WindowLookup;
  readonly view: string;
  readonly label: string;
  /** For each join key of the view its place among the columns and among the types of that column. */
  readonly keys: readonly { readonly column: number; readonly type: number }[];
}

export interface PlannedFeature {
  readonly lookup: number;
  /** Its place among the values that are read. */
  readonly place: number;
  readonly view: string;
  readonly name: string;
  readonly type: ValueType;
  /** A literal, or the definition by which the fitted default of the day is asked for at each request. */
  readonly default: { readonly value: LiteralValue } | { readonly definition: string } | undefined;
}

export interface PlannedTransform {
  readonly view: string;
  readonly transform: Transform;
  /** Places in `features`. */
  readonly inputs: readonly number[];
  /** Places in `columns`. */
  readonly request: readonly number[];
  readonly outputs: readonly { readonly name: string; readonly type: ValueType }[];
}

export type PlannedOutput =
  | { readonly kind: 'feature'; readonly name: string; readonly feature: number }
  | { readonly kind: 'computed'; readonly name: string; readonly transform: number; readonly output: number };

export interface PlannedColumn {
  readonly name: string;
  /** The types that join keys read from it have: mostly one, int32 beside int64, none for a value of the request. */
  readonly keyTypes: readonly KeyType[];
  /** As errors speak of it. */
  readonly joinKey: string;
  readonly requestType: ValueType | undefined;
  /** Who needs it, and how to bring it, to end the message about its absence. */
  readonly need: string;
  readonly hint: string;
}

/** What a request brings for a plan's columns. */
export interface RetrievalColumns {
  readonly rows: number;
  /** In the plan's order; one value where the column is the same for every row. */
  readonly columns: readonly RetrievalColumn[];
}

export interface RetrievalColumn {
  /** One list for each of the planned key types. */
  readonly keys: readonly (readonly LiteralValue[])[];
  readonly request: readonly LiteralValue[] | undefined;
}

/** What plans of one document stand on. */
export interface PlanScope {
  readonly registry: RegistryDocument;
  readonly transforms: Transforms;
  view(name: string): OnlineView | WindowView;
}

/** Plans; every name that does not exist, or stands for two things, is refused by name. */
export function planOnline(scope: PlanScope, request: FeatureRequest): OnlinePlan {
  const resolution = resolveFeatures(scope.registry, request);
  const columns = planColumns(resolution);
  const taken = columns
    .filter(({ keyTypes }) => keyTypes.length > 0)
    .map(({ name }) => ({ name, origin: `entity column "${name}"` }));
  refuseCollisions(resolution, false, taken);
  const places = resolution.lookups.map((_, lookup) => resolution.features.filter((feature) => feature.lookup === lookup));
  return Object.freeze({
    lookups: resolution.lookups.map((lookup, at) => planLookup(scope, lookup, places[at] ?? [], columns)),
    features: resolution.features.map((feature) => planFeature(resolution, feature, places[feature.lookup] ?? [])),
    transforms: resolution.transforms.map((transform) => planTransform(scope, transform, columns)),
    outputs: resolution.outputs,
    columns,
  });
}

function planLookup(
  scope: PlanScope,
  { view, label, keys }: ResolvedLookup,
  features: readonly ResolvedFeature[],
  columns: readonly PlannedColumn[],
): PlannedLookup {
  const names = features.map(({ feature }) => feature.name);
  const compiled = scope.view(view.name);
  return {
    lookup: 'features' in compiled ? compileWindowLookup(compiled, names) : compileLookup(compiled, names),
    view: view.name,
    label,
    keys: keys.map((key) => {
      const column = columns.findIndex(({ name }) => name === key.column);
      return { column, type: columns[column]?.keyTypes.indexOf(key.type) as number };
    }),
  };
}

function planFeature(resolution: Resolution, resolved: ResolvedFeature, places: readonly ResolvedFeature[]): PlannedFeature {
  const { lookup, feature } = resolved;
  const { view } = resolution.lookups[lookup] as ResolvedLookup;
  const type = parseValueType(feature.type);
  return {
    lookup,
    place: places.indexOf(resolved),
    view: view.name,
    name: feature.name,
    type,
    default: planDefault(view, feature, type),
  };
}

function planDefault(view: ViewDocument, feature: FeatureDocument, type: ValueType): PlannedFeature['default'] {
  if (feature.default === undefined) return undefined;
  if ('fitted' in feature.default) return { definition: fittedDefinition(view, feature) };
  return { value: decodeLiteral(type, feature.default.literal) };
}

function planTransform(
  { transforms }: PlanScope,
  { view, inputs }: ResolvedTransform,
  columns: readonly PlannedColumn[],
): PlannedTransform {
  return {
    view: view.name,
    transform: transforms.of(view.name),
    inputs,
    request: view.request.map((value) => columns.findIndex(({ name }) => name === value.name)),
    outputs: view.features.map(({ name, type }) => ({ name, type: parseValueType(type) })),
  };
}

function planColumns({ lookups, request }: Resolution): readonly PlannedColumn[] {
  const columns = new Map<string, PlannedColumn>();
  for (const { label, keys } of lookups) {
    for (const { joinKey, type, column: name } of keys) {
      const known = columns.get(name);
      const keyTypes = known?.keyTypes ?? [];
      columns.set(name, {
        name,
        keyTypes: keyTypes.includes(type) ? keyTypes : [...keyTypes, type],
        joinKey: known?.joinKey ?? joinKey,
        requestType: undefined,
        need: known?.need ?? `view "${label}" needs join key "${joinKey}"`,
        hint: known?.hint ?? `add it, or name another with keys={"${label}": {"${joinKey}": "<column>"}}`,
      });
    }
  }
  for (const { name, type, views } of request) {
    const known = columns.get(name);
    const own = { need: `view "${views[0]}" needs request value "${name}"`, hint: 'add it beside the entities' };
    columns.set(name, {
      ...(known ?? { name, keyTypes: [], joinKey: name, ...own }),
      requestType: parseValueType(type),
    });
  }
  return [...columns.values()];
}
