/** Events in JSON: a record is one object, whose members are columns. */
import { FeatureStoreError } from '../../errors.ts';
import { parseJson } from '../../json/parse-json.ts';
import type { EventCollector, RawEvent } from './collect-events.ts';
import { showValue } from './refusal.ts';

/** Levels of arrays and objects, those of members that nobody declared included. */
export const maxJsonDepth = 64;

export function readJsonEvent(offset: bigint, value: Uint8Array, events: EventCollector): void {
  events.add(offset, readJsonObject(value), () => value);
}

/** INVALID_ARGUMENT for what is no object. */
export function readJsonObject(value: Uint8Array): RawEvent {
  const event = parseJson(value, maxJsonDepth, 'the record');
  if (event !== null && typeof event === 'object' && !Array.isArray(event)) return event as RawEvent;
  throw new FeatureStoreError(
    'INVALID_ARGUMENT',
    `the record is ${showValue(event)}, and an event is an object such as {"user_id": 1}`,
  );
}
