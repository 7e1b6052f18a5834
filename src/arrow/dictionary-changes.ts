/** Dictionaries between two batches: which of them a stream must carry before the second. */
import { columnFromValues } from './build.ts';
import type { Dictionaries } from './dictionaries.ts';
import { type DictionaryBatch, dictionaryValues } from './record-batch.ts';
import type { Field, Schema } from './schema.ts';

/**
 * The dictionaries of the schema's fields that are other columns than before, whole, in the order in which they must be written:
 * the dictionary of a dictionary's values first.
 */
export function changedDictionaries(schema: Schema, before: Dictionaries, after: Dictionaries): DictionaryBatch[] {
  return [...new Set(schema.fields.flatMap(listDictionaryFields).map(idOf))].flatMap((id) => {
    const values = after.get(id);
    return values === undefined || values === before.get(id) ? [] : [{ id, isDelta: false, values }];
  });
}

/** `known` and an empty dictionary for every other one of the schema: readers want them all before the first batch, were it empty. */
export function completeDictionaries(schema: Schema, known: Dictionaries): Dictionaries {
  const complete = new Map(known);
  for (const field of schema.fields.flatMap(listDictionaryFields)) {
    if (!complete.has(idOf(field))) complete.set(idOf(field), columnFromValues(dictionaryValues(field), []));
  }
  return complete;
}

function listDictionaryFields(field: Field): Field[] {
  const inner = field.children.flatMap(listDictionaryFields);
  return field.dictionary === undefined ? inner : [...inner, field];
}

function idOf(field: Field): bigint {
  return (field.dictionary as NonNullable<Field['dictionary']>).id;
}
