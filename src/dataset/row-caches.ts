/** What streams of datasets share in memory: the ranks and workers of a job read the same windows, with the same vocabularies. */
import type { Vocabulary } from './dense.ts';
import type { LaidBlock } from './layout.ts';
import { createSizedCache, type SizedCache } from './sized-cache.ts';

/** Ids by value, of one column of text. */
export interface LoadedVocabulary {
  readonly ids: Vocabulary;
  /** About what it takes. */
  readonly bytes: number;
}

export interface RowCaches {
  readonly blocks: SizedCache<LaidBlock>;
  readonly vocabularies: SizedCache<LoadedVocabulary>;
}

/** Caches of at most so many bytes each. */
export function createRowCaches(limits: { readonly blockBytes: number; readonly vocabularyBytes: number }): RowCaches {
  return { blocks: createSizedCache(limits.blockBytes), vocabularies: createSizedCache(limits.vocabularyBytes) };
}
