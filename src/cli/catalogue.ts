/** The catalogue of what is applied, read without a server. */
import { InvalidArgumentError } from 'commander';
import { didYouMean } from '../errors.ts';
import { type CatalogueKind, catalogueKinds } from '../serve/catalogue.ts';

const kinds: ReadonlyMap<string, CatalogueKind> = new Map([
  ...catalogueKinds.map((kind) => [kind, kind] as const),
  ['views', 'feature_views'],
  ['services', 'feature_services'],
]);
const shortWords = ['entities', 'sources', 'views', 'services', 'features'];

/** The kinds, for help. */
export const kindWords: string = shortWords.join(', ');

/** A kind as people type it: short or in full, with dashes or underscores. Wrong usage names the nearest. */
export function parseKind(word: string): CatalogueKind {
  const kind = kinds.get(word.toLowerCase().replaceAll('-', '_'));
  if (kind !== undefined) return kind;
  const allowed = [...shortWords, 'feature-views', 'feature-services'];
  throw new InvalidArgumentError(`Allowed choices are ${kindWords}${didYouMean(word.replaceAll('_', '-'), allowed)}`);
}
