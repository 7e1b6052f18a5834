/** Today's fitted defaults in the store: numbers learnt from history once a day (UTC), and served until there are newer ones (rule 5.3). */
import type { LiteralValue } from '../../definitions/literal.ts';
import { parseValueType } from '../../definitions/value-type.ts';
import type { FeatureDocument, ViewDocument } from '../../registry/document.ts';
import { createSink, takeSink } from '../encoding/bytes.ts';
import { compileValueReader, compileValueWriter } from '../encoding/value-codec.ts';
import type { OnlineRecords } from '../records.ts';

export interface FittedDefault {
  /** The day (UTC) whose midnight it was computed for, such as `2026-03-10`. */
  readonly day: string;
  /** undefined where no row had a value by then: nothing replaces the value. */
  readonly value: LiteralValue | undefined;
}

/** The record of kind `fitted` and name `view:feature`. */
interface StoredDefault {
  readonly day: string;
  /** What it was computed from; a number of another definition is not served. */
  readonly definition: string;
  /** The value as rows hold it, in base64; absent where there is none. */
  readonly value?: string;
}

const kind = 'fitted';

/** Keeps a number; one of a later day under the same definition stays. */
export async function writeFittedDefault(
  records: OnlineRecords,
  view: ViewDocument,
  feature: FeatureDocument,
  { day, value }: FittedDefault,
  signal?: AbortSignal,
): Promise<void> {
  const definition = fittedDefinition(view, feature);
  const stored: StoredDefault = value === undefined ? { day, definition } : { day, definition, value: encode(feature, value) };
  const change = (current: StoredDefault | undefined) =>
    current !== undefined && current.definition === definition && current.day > day ? current : stored;
  await records.update<StoredDefault>(kind, nameOf(view, feature), change, signal);
}

/** The numbers of all features of some views that have a fitted default, by definition, in one round trip. */
export async function readFittedDefaults(
  records: OnlineRecords,
  views: readonly ViewDocument[],
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, FittedDefault>> {
  const wanted = views.flatMap((view) => fittedFeatures(view).map((feature) => ({ view, feature })));
  if (wanted.length === 0) return new Map();
  const names = wanted.map(({ view, feature }) => nameOf(view, feature));
  const found = (await records.readMany(kind, names, signal)) as (StoredDefault | undefined)[];
  const defaults = new Map<string, FittedDefault>();
  for (const [at, { view, feature }] of wanted.entries()) {
    const stored = found[at];
    const definition = fittedDefinition(view, feature);
    if (stored?.definition !== definition) continue;
    defaults.set(definition, { day: stored.day, value: stored.value === undefined ? undefined : decode(feature, stored.value) });
  }
  return defaults;
}

/** The features of a view that have a fitted default. */
export function fittedFeatures({ features }: ViewDocument): readonly FeatureDocument[] {
  return features.filter((feature) => feature.default !== undefined && 'fitted' in feature.default);
}

/** What a number depends on beside the rows. */
export function fittedDefinition(view: ViewDocument, feature: FeatureDocument): string {
  return JSON.stringify([view.name, feature.name, feature.hash, feature.default, view.delay ?? '0s', view.asKnown]);
}

function nameOf(view: ViewDocument, feature: FeatureDocument): string {
  return `${view.name}:${feature.name}`;
}

function encode({ type }: FeatureDocument, value: LiteralValue): string {
  const sink = createSink();
  if (value !== null) compileValueWriter(parseValueType(type))(sink, value);
  return takeSink(sink).toString('base64');
}

function decode({ type }: FeatureDocument, text: string): LiteralValue {
  const buffer = Buffer.from(text, 'base64');
  return compileValueReader(parseValueType(type))({ buffer, at: 0, end: buffer.length });
}
