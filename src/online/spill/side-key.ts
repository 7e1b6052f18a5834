/**
 * Where the states of a view stand that are too large for the value of their key: in the slot of that key in a Cluster, so that both change
 * together and are read by one command.
 *
 *   project (UTF-8), 0x00, 0x03, view, 0x00, what follows 0x02 in the key of the entity, two bytes for the slot where it needs any
 */
import { entityPrefix } from '../encoding/keys.ts';
import { intoSlotOf } from '../redis/same-slot.ts';

const sideMark = 3;

/** `key` is that of an entity of the project. */
export function encodeSideKey(project: string, view: string, key: Uint8Array): Buffer {
  const rest = key.subarray(entityPrefix(project).length);
  return intoSlotOf(key, Buffer.concat([sidePrefix(project), Buffer.from(`${view}\0`), rest]));
}

/** With what the keys of all side values of a project begin. */
export function sidePrefix(project: string): Buffer {
  return Buffer.concat([Buffer.from(project), Buffer.of(0, sideMark)]);
}
