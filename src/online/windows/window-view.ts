/** A stream view as the online path needs it: compiled once for a registry document, then used by reads and by whoever applies events. */
import { createHash } from 'node:crypto';
import { type CompiledAggregate, compileAggregate } from '../../aggregate/compile-aggregate.ts';
import { aggregateFunctions } from '../../aggregate/functions.ts';
import { parseDurationUs } from '../../definitions/duration.ts';
import type { LiteralValue } from '../../definitions/literal.ts';
import { formatValueType, parseValueType, type ValueType } from '../../definitions/value-type.ts';
import type { AggregateDocument, FeatureDocument, RegistryDocument, ViewDocument } from '../../registry/document.ts';
import { type AggregateInputs, eventViewOf } from '../../registry/event-view.ts';
import type { JoinKey } from '../encoding/keys.ts';
import type { RowSchema } from '../encoding/row.ts';
import { entitiesWithin, type OnlineEntity } from '../view.ts';

export interface WindowView {
  readonly name: string;
  readonly source: string;
  readonly joinKeys: readonly JoinKey[];
  readonly entities: readonly OnlineEntity[];
  readonly delayUs: bigint;
  /** Of a view of sessions; its features are then all of the current session. */
  readonly gapUs: bigint | undefined;
  readonly features: readonly WindowFeature[];
  /** States of one key above this stand in a value of their own. */
  readonly maxStateBytes: number;
}

export interface WindowFeature {
  readonly name: string;
  /** What its state depends on: the feature's definition, and the view's delay, by which events enter it. */
  readonly hash: string;
  readonly aggregate: CompiledAggregate;
  /** undefined without a left end, and of sessions. */
  readonly windowUs: bigint | undefined;
  /** The length of a tile; undefined where there is one tile alone. */
  readonly hopUs: bigint | undefined;
  /** Whether an event passes `where`, by the values of the view's expressions. */
  passes(values: readonly LiteralValue[]): boolean;
  /** Adds an event that passes. */
  add(state: object, timeUs: bigint, values: readonly LiteralValue[]): void;
}

const defaultMaxStateBytes = 1 << 20;

/** Compiles a stream view; keep the result as long as the document is the applied one. Readers need no `maxStateBytes`. */
export function compileWindowView(
  view: ViewDocument,
  entities: RegistryDocument['entities'],
  maxStateBytes: number = defaultMaxStateBytes,
): WindowView {
  const { inputs } = eventViewOf(view);
  return {
    name: view.name,
    source: view.source,
    joinKeys: view.keys.map(({ name, type }) => ({ name, type })),
    entities: entitiesWithin(view, entities),
    delayUs: view.delay === undefined ? 0n : parseDurationUs(view.delay),
    gapUs: view.session === undefined ? undefined : parseDurationUs(view.session.gap),
    features: view.features.map((feature) => compileFeature(view, feature, inputs.get(feature) as AggregateInputs)),
    maxStateBytes,
  };
}

/** The schema of a state that holds some of a view's features: it tells them by name and hash, as the schema of a row does. */
export function stateSchema(view: WindowView, features: readonly WindowFeature[]): RowSchema {
  return {
    view: `${view.name}${stateMark}`,
    features: features.map(({ name, hash, aggregate }) => ({ name, type: formatStateTypes(aggregate.stateTypes), hash })),
  };
}

/** Types of a state's parts, in one text. */
export function formatStateTypes(types: readonly ValueType[]): string {
  return types.map(formatValueType).join('; ');
}

export function parseStateTypes(text: string): readonly ValueType[] {
  return text.split('; ').map((type) => {
    // Sums are kept wider than any column is.
    const [, precision, scale] = /^decimal\((\d+),(\d+)\)$/.exec(type) ?? [];
    if (precision === undefined) return parseValueType(type);
    return { kind: 'decimal', precision: Number(precision), scale: Number(scale) };
  });
}

/** What the name of a view ends with where a schema is that of its states, so that none is taken for a row. */
export const stateMark = '#windows';

/** WindowFeature.hash of a feature as it is applied. */
export function hashState({ delay }: Pick<ViewDocument, 'delay'>, { hash }: Pick<FeatureDocument, 'hash'>): string {
  return createHash('sha256')
    .update(JSON.stringify([hash, delay ?? '0s']))
    .digest('hex');
}

function compileFeature(view: ViewDocument, feature: FeatureDocument, inputs: AggregateInputs): WindowFeature {
  const { function: name, value, window, hop, size } = feature.aggregate as AggregateDocument;
  const type = value === undefined ? parseValueType('bool') : value.tree.type;
  const aggregate = compileAggregate(name, type, size);
  const { where } = inputs;
  return {
    name: feature.name,
    hash: hashState(view, feature),
    aggregate,
    windowUs: window === undefined || window === 'lifetime' ? undefined : parseDurationUs(window),
    hopUs: hop === undefined ? undefined : parseDurationUs(hop),
    passes: where === undefined ? () => true : (values) => values[where] === true,
    add: compileAdd(aggregate, inputs, aggregateFunctions[name].takes),
  };
}

function compileAdd(
  aggregate: CompiledAggregate,
  { value, condition, over }: AggregateInputs,
  takes: 'nothing' | 'value' | 'conditions',
): WindowFeature['add'] {
  if (takes === 'nothing') return (state, timeUs) => aggregate.update(state, timeUs, true);
  if (takes === 'value') {
    return (state, timeUs, values) => aggregate.update(state, timeUs, values[value as number] as LiteralValue);
  }
  return (state, timeUs, values) =>
    aggregate.update(state, timeUs, values[condition as number] === true, over === undefined || values[over] === true);
}
