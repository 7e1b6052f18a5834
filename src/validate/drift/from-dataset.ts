/** Tallies of a saved dataset, which knows what feature each of its columns holds, and which of them are keys. */
import type { Column } from '../../arrow/column.ts';
import { formatType, type Schema } from '../../arrow/schema.ts';
import { parseInstantUs } from '../../definitions/literal.ts';
import { parseValueType } from '../../definitions/value-type.ts';
import { didYouMean, FeatureStoreError } from '../../errors.ts';
import type { RegistryDocument } from '../../registry/document.ts';
import { parseFeatureReference } from '../../registry/references.ts';
import { hasDefault, hasFeature, typeOf } from '../parity/versions.ts';
import { measureOf } from './measure.ts';
import type { DriftSummary } from './report.ts';
import { createTallies, type TalliesOptions } from './tallies.ts';
import type { Profile } from './tally.ts';
import { canMeasure, type TableColumn, tallyTable } from './tally-table.ts';

/** One version of a dataset, opened: it cannot be deleted meanwhile. */
export interface SavedTable {
  /** `NAME@VERSION`. */
  readonly dataset: string;
  /** null: all of them. */
  readonly split: string | null;
  readonly schema: Schema;
  readonly columns: readonly SavedColumn[];
  /** Where the time of each row is: `at` where it is one for all. */
  readonly time: { readonly column: string; readonly timezone: string | null; readonly at: string | null };
  /** Of each look-up, join key -> column. */
  readonly joinKeys: readonly Readonly<Record<string, string>>[];
  /** Rows of certain columns, in that order. */
  rows(
    columns: readonly string[],
    signal: AbortSignal,
  ): AsyncIterable<{ readonly length: number; readonly columns: readonly Column[] }>;
  /** Called once. */
  close(): void;
}

export interface SavedColumn {
  readonly name: string;
  readonly role: string;
  /** `view:feature`, of features and their statuses. */
  readonly feature: string | null;
  /** The share of the rows that has the default; undefined where it is not known of the rows that are read. */
  readonly defaultShare: number | undefined;
}

export interface HeldFeatures {
  /** By `view:feature`. */
  readonly columns: ReadonlyMap<string, readonly SavedColumn[]>;
  readonly skipped: DriftSummary['skipped'];
}

/** The features of a dataset that can be compared: those that are defined still, and measured as they were. */
export function findHeld({ columns, schema, dataset }: SavedTable, registry: RegistryDocument): HeldFeatures {
  const held = new Map<string, SavedColumn[]>();
  const skipped = new Map<string, string>();
  for (const column of columns) {
    if (column.role !== 'feature' || column.feature === null) continue;
    const { view, feature } = parseFeatureReference(column.feature);
    const name = `${view}:${feature}`;
    const field = schema.fields.find((candidate) => candidate.name === column.name);
    if (!hasFeature(registry, view, feature)) skipped.set(name, 'it is not defined any more');
    else if (field !== undefined && !canMeasure(field, measureOf(parseValueType(typeOf(registry, view, feature))).kind))
      skipped.set(name, `it is ${formatType(field)} in ${dataset}, and ${typeOf(registry, view, feature)} by now`);
    else held.set(name, [...(held.get(name) ?? []), column]);
  }
  return { columns: held, skipped: [...skipped].map(([feature, reason]) => ({ feature, reason })) };
}

/** The features that all datasets hold, of those that are wanted; NOT_FOUND where one of `named` is not held, or none is left. */
export function findCommon(
  tables: readonly { readonly dataset: string; readonly held: HeldFeatures }[],
  wanted: ReadonlySet<string> | undefined,
  named: readonly string[],
): { readonly common: ReadonlySet<string>; readonly skipped: DriftSummary['skipped'] } {
  const skipped = tables.flatMap(({ held }) => held.skipped);
  for (const { dataset, held } of tables) {
    const lacking = named.find((name) => !held.columns.has(name));
    if (lacking === undefined) continue;
    const why = held.skipped.find(({ feature }) => feature === lacking)?.reason;
    throw notHeld(
      `dataset ${dataset} ${why === undefined ? 'has no' : 'cannot be asked for'} feature "${lacking}"`,
      why,
      held,
      lacking,
    );
  }
  const all = new Set(tables.flatMap(({ held }) => [...held.columns.keys()]));
  const asked = wanted === undefined ? [...all] : [...wanted];
  const lackingOf = (name: string) => tables.filter(({ held }) => !held.columns.has(name)).map(({ dataset }) => dataset);
  const common = asked.filter((name) => lackingOf(name).length === 0);
  if (common.length === 0) throw nothingCommon(tables);
  const left = asked.filter((name) => !common.includes(name) && !skipped.some(({ feature }) => feature === name));
  const reasons = left.map((feature) => ({ feature, reason: `it is not in ${lackingOf(feature).join(', ')}` }));
  return { common: new Set(common), skipped: [...skipped, ...reasons] };
}

function notHeld(what: string, why: string | undefined, { columns }: HeldFeatures, feature: string): FeatureStoreError {
  const names = [...columns.keys()];
  const hint = why === undefined ? didYouMean(feature, names) || `; it has ${names.join(', ') || 'none'}` : `: ${why}`;
  return new FeatureStoreError('NOT_FOUND', `validate drift: ${what}${hint}`, { details: { feature, features: names } });
}

function nothingCommon(tables: readonly { readonly dataset: string; readonly held: HeldFeatures }[]): FeatureStoreError {
  const [first, second] = tables;
  const told = tables.map(({ dataset, held }) => `${dataset} has ${[...held.columns.keys()].join(', ') || 'none'}`).join('; ');
  const what =
    second === undefined || second.dataset === first?.dataset
      ? `dataset ${first?.dataset} has no feature of those that are compared`
      : `datasets ${first?.dataset} and ${second.dataset} have no feature in common`;
  return new FeatureStoreError('NOT_FOUND', `validate drift: ${what}: ${told}`, {
    details: { datasets: tables.map(({ dataset }) => dataset) },
  });
}

/** Reads the wanted columns with their keys, flags of defaults and times. */
export async function tallyDataset(
  table: SavedTable,
  { columns }: HeldFeatures,
  options: TalliesOptions & { readonly wanted: ReadonlySet<string> },
  signal: AbortSignal,
): Promise<{ readonly rows: number; readonly profiles: ReadonlyMap<string, Profile> }> {
  const { registry, wanted } = options;
  const { time } = table;
  const names: string[] = [];
  const place = (name: string) => {
    const at = names.indexOf(name);
    return at >= 0 ? at : names.push(name) - 1;
  };
  const found = [...columns]
    .flatMap(([name, held]) => (wanted.has(name) ? held : []))
    .map((column): TableColumn => {
      const { view, feature } = parseFeatureReference(column.feature as string);
      const flags = table.columns.find((one) => one.role === 'status' && one.name === `${column.name}__is_default`);
      const defaults = flags !== undefined ? place(flags.name) : hasDefault(registry, view, feature) ? 'unknown' : 'none';
      const keys = keysOf(table, registry, view).map((each) => each.map(place));
      return { column: column.name, view, feature, index: place(column.name), defaults, keys };
    });
  const times =
    time.at === null
      ? { index: place(time.column), name: time.column, timezone: time.timezone ?? undefined }
      : { atUs: parseInstantUs(time.at) };
  const tallies = createTallies(options);
  await tallyTable(readBatches(table, names, signal), found, times, { tallies, registry }, signal);
  const rows = tallies.rows();
  const profiles = [...tallies.finish()].map(([name, profile]) => {
    const shares = (columns.get(name) ?? []).map(({ defaultShare }) => defaultShare);
    return [name, { ...profile, defaults: profile.defaults ?? expectDefaults(shares, rows) }] as const;
  });
  return { rows, profiles: new Map(profiles) };
}

/** Of the rows that were read of each column; all or none of them only where that is so of all rows. */
function expectDefaults(shares: readonly (number | undefined)[], rows: number): number | null {
  if (shares.includes(undefined)) return null;
  const known = shares as readonly number[];
  const sum = known.reduce((total, share) => total + share, 0);
  const most = known.length * rows;
  if (rows === 0 || sum === 0 || sum === known.length) return sum * rows;
  return Math.min(most - 1, Math.max(1, Math.round(sum * rows)));
}

async function* readBatches(table: SavedTable, names: readonly string[], signal: AbortSignal) {
  for await (const { length, columns } of table.rows(names, signal))
    yield { length, plain: (index: number) => columns[index] as Column };
}

/** The columns of each look-up that a view may have been joined by; of a transform those of all keys together. */
function keysOf({ joinKeys, columns }: SavedTable, registry: RegistryDocument, view: string): readonly (readonly string[])[] {
  const keys = registry.views.find(({ name }) => name === view)?.keys.map(({ name }) => name);
  const fits = joinKeys.filter(
    (joined) => keys !== undefined && Object.keys(joined).length === keys.length && keys.every((key) => key in joined),
  );
  const found = new Map(fits.map((joined) => Object.values(joined)).map((names) => [names.join('\u0000'), names]));
  if (found.size > 0) return [...found.values()];
  const all = columns.filter(({ role }) => role === 'key').map(({ name }) => name);
  return all.length > 0 ? [all] : [];
}
