/** Rules 1.1 to 1.3 as plain arithmetic: what instant a time column's value is. */
import type { TimeUnit } from '../../src/arrow/schema.ts';
import { type AmbiguousTime, resolveNaively } from './naive-zone.ts';

/** How a column holds times: a count of units since the epoch, of an instant or of a local reading; or a date (days). */
export type NaiveTime = { readonly kind: 'time'; readonly unit: TimeUnit; readonly zoned: boolean } | { readonly kind: 'date' };

export interface NaiveZone {
  readonly timezone?: string;
  readonly ambiguousTime?: AmbiguousTime;
}

/** Thrown where the rules refuse a time or a key; `row` counts from 0. */
export class NaiveRefusal extends Error {}

/** Microseconds since the epoch, nanoseconds floored; null stays null. A reading that the zone refuses throws NaiveRefusal. */
export function toInstantNaively(value: unknown, type: NaiveTime, zone: NaiveZone): bigint | null {
  if (value === null) return null;
  const us = type.kind === 'date' ? BigInt(value as number) * 86_400_000_000n : toUs(value as bigint, type.unit);
  if (type.kind === 'time' && type.zoned) return us;
  if (zone.timezone === undefined) throw new NaiveRefusal('a time without a zone');
  const instant = resolveNaively(us, zone.timezone, zone.ambiguousTime);
  if (instant === undefined) throw new NaiveRefusal(`${us} us is no single instant in ${zone.timezone}`);
  return instant;
}

/** Toward minus infinity, before 1970 too (rule 1.4). */
export function floorNaively(value: bigint, step: bigint): bigint {
  const rest = value % step;
  return rest < 0n ? value - rest - step : value - rest;
}

function toUs(value: bigint, unit: TimeUnit): bigint {
  if (unit === 's') return value * 1_000_000n;
  if (unit === 'ms') return value * 1000n;
  return unit === 'us' ? value : floorNaively(value, 1000n) / 1000n;
}
