/** The dictionaries of a stream, which come in batches of their own before the columns that use them. */
import type { Column } from './column.ts';
import { concatColumns } from './concat.ts';
import type { DictionaryBatch } from './record-batch.ts';

export type Dictionaries = ReadonlyMap<bigint, Column>;

/** The dictionaries after one more batch: a delta continues its dictionary, any other replaces it. Earlier maps stay as they were. */
export function addDictionary(dictionaries: Dictionaries, batch: DictionaryBatch): Dictionaries {
  const before = batch.isDelta ? dictionaries.get(batch.id) : undefined;
  const values = before === undefined ? batch.values : concatColumns([before, batch.values]);
  return new Map(dictionaries).set(batch.id, values);
}
