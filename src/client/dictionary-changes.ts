/** Dictionaries between two batches: which of them a stream must carry before the second. */
import type { Dictionaries } from '../arrow/dictionaries.ts';
import type { DictionaryBatch } from '../arrow/record-batch.ts';
import type { Field, Schema } from '../arrow/schema.ts';

/**
 * The dictionaries of the schema's fields that are other columns than before, whole, in the order in which they must be written:
 * the dictionary of a dictionary's values first.
 */
export function changedDictionaries(schema: Schema, before: Dictionaries, after: Dictionaries): DictionaryBatch[] {
  return [...new Set(schema.fields.flatMap(dictionaryIds))].flatMap((id) => {
    const values = after.get(id);
    return values === undefined || values === before.get(id) ? [] : [{ id, isDelta: false, values }];
  });
}

function dictionaryIds(field: Field): bigint[] {
  const inner = field.children.flatMap(dictionaryIds);
  return field.dictionary === undefined ? inner : [...inner, field.dictionary.id];
}
