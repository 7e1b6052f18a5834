/** Which feature each column of a table that was made elsewhere claims to be. */
import type { Schema } from '../../../arrow/schema.ts';
import { didYouMean, FeatureStoreError } from '../../../errors.ts';
import type { RegistryDocument } from '../../../registry/document.ts';
import { onDemandViewsOf } from '../../../registry/references.ts';

export interface ColumnMap {
  readonly columns: readonly { readonly column: string; readonly reference: string; readonly index: number }[];
  readonly unmapped: readonly { readonly column: string; readonly text: string }[];
}

export interface MapRequest {
  /** Column -> `view:feature` or `view@prefix:feature`, for those whose names do not say it. */
  readonly given: Readonly<Record<string, string>>;
  /** Columns that are no features: the time, labels. */
  readonly apart: readonly string[];
  /** What names may mean; undefined: every feature that is applied. */
  readonly references: readonly string[] | undefined;
}

/**
 * By what is given, otherwise by name: `feature` where one view alone has it, `view__feature` or `view:feature`. INVALID_ARGUMENT where a
 * given column does not exist, or nothing is claimed at all.
 */
export function mapColumns(registry: RegistryDocument, schema: Schema, { given, apart, references }: MapRequest): ColumnMap {
  const names = schema.fields.map((field) => field.name);
  for (const column of Object.keys(given)) {
    if (names.includes(column)) continue;
    throw new FeatureStoreError('INVALID_ARGUMENT', `the table has no column "${column}"${didYouMean(column, names)}`, {
      details: { column },
    });
  }
  const joinKeys = new Set(registry.views.flatMap((view) => view.keys.map((key) => key.name)));
  const wanted = references ?? allReferences(registry);
  const columns: { column: string; reference: string; index: number }[] = [];
  const unmapped: { column: string; text: string }[] = [];
  for (const [index, column] of names.entries()) {
    const reference = given[column];
    if (reference !== undefined) columns.push({ column, reference, index });
    else if (!apart.includes(column)) {
      const found = wanted.filter((candidate) => namesOf(candidate).includes(column));
      if (found.length === 1) columns.push({ column, reference: found[0] as string, index });
      else if (found.length > 1)
        unmapped.push({ column, text: `several features have this name: ${found.join(', ')}; say which in columns` });
      else if (!joinKeys.has(column))
        unmapped.push({ column, text: 'no feature has this name; say which in columns if it is one' });
    }
  }
  if (columns.length === 0) {
    const near = names.slice(0, 10).join(', ');
    throw new FeatureStoreError(
      'INVALID_ARGUMENT',
      `no column of the table is known as a feature (it has ${near || 'none'}); say which are with columns={"<column>": "<view>:<feature>"}`,
      { details: { columns: names, option: 'columns' } },
    );
  }
  return { columns, unmapped };
}

function allReferences(registry: RegistryDocument): readonly string[] {
  return [...registry.views, ...onDemandViewsOf(registry)].flatMap((view) =>
    view.features.map((feature) => `${view.name}:${feature.name}`),
  );
}

function namesOf(reference: string): readonly string[] {
  const [, view = '', prefix, feature = ''] = /^([^:@]*)(?:@([^:]*))?:(.*)$/.exec(reference) ?? [];
  const full = [`${prefix ?? view}__${feature}`, reference];
  return prefix === undefined ? [feature, ...full] : full;
}
