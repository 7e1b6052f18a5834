/** Many events as JSON columns, as pushes are written: `{"user_id": [1, 2], "at": ["…", "…"]}`. */
import { FeatureStoreError } from '../../errors.ts';
import type { EventCollector, RawEvent } from './collect-events.ts';
import { readJsonObject } from './json.ts';
import { showValue, toJson } from './refusal.ts';

/** INVALID_ARGUMENT where a member is no array, or they are of several lengths. */
export function readColumnsEvents(offset: bigint, value: Uint8Array, events: EventCollector, names: readonly string[]): void {
  const columns = readJsonObject(value);
  let first: { readonly name: string; readonly length: number } | undefined;
  for (const [name, items] of Object.entries(columns)) {
    if (!Array.isArray(items)) throw refuse(`column "${name}" is ${showValue(items)}, and a column is an array of values`);
    first ??= { name, length: items.length };
    if (items.length !== first.length) {
      throw refuse(`columns are of one length: "${first.name}" has ${first.length} values, "${name}" ${items.length}`);
    }
  }
  for (const name of Object.keys(columns)) if (!names.includes(name)) events.ignore(name, offset, first?.length ?? 0);
  const own = names.filter((name) => Object.hasOwn(columns, name));
  for (let row = 0; row < (first?.length ?? 0); row++) {
    const event: RawEvent = Object.fromEntries(own.map((name) => [name, (columns[name] as readonly unknown[])[row]]));
    events.add(offset, event, () => Buffer.from(toJson(event)));
  }
}

function refuse(why: string): FeatureStoreError {
  return new FeatureStoreError('INVALID_ARGUMENT', `the record cannot be read: ${why}`);
}
