/** The values that a feature may have by what its source declares, beside those that were seen of it. */
import type { RegistryDocument } from '../../registry/document.ts';

/** Of an aggregate whose values are those of a column with `values`, and its literal default; undefined where nothing is declared. */
export function declaredValues(registry: RegistryDocument, view: string, feature: string): ReadonlySet<string> | undefined {
  const known = registry.views.find(({ name }) => name === view);
  const found = known?.features.find(({ name }) => name === feature);
  const argument = found?.aggregate?.value?.tree;
  if (found?.type !== 'string' || argument?.kind !== 'column') return undefined;
  const source = registry.sources.find(({ name }) => name === known?.source);
  const values = source?.events?.columns.find(({ name }) => name === argument.name)?.values;
  if (values === undefined) return undefined;
  const fallback = found.default !== undefined && 'literal' in found.default ? found.default.literal : undefined;
  return new Set(typeof fallback === 'string' ? [...values, fallback] : values);
}
