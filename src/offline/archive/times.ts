/** Times as they are pushed: with an offset or without, for columns with a zone or without (rule 1.2). */
import { Temporal } from 'temporal-polyfill';
import { FeatureStoreError } from '../../errors.ts';
import { type AmbiguousTime, openClock, toInstantUs, unclearKind, unclearTimeError } from '../zone.ts';

/** What the source says of its local times. */
export interface TimeZoneRule {
  readonly timezone?: string;
  readonly ambiguousTime?: AmbiguousTime;
}

/**
 * Nanoseconds of an instant, or of a local time as if it were UTC, as the column wants them; counts are microseconds since the epoch.
 * INVALID_ARGUMENT where the text is no time, or one that the zone does not make clear.
 */
export function readPushedTime(value: unknown, zone: TimeZoneRule, wanted: 'instant' | 'local'): bigint {
  const given = parseTime(value);
  if (given.isInstant === (wanted === 'instant')) {
    if (wanted === 'local' && zone.timezone !== undefined) checkClear(given.ns, zone, zone.timezone);
    return given.ns;
  }
  if (wanted === 'local') return toLocal(given.ns, zone.timezone ?? 'UTC', zone, value);
  const { timezone } = zone;
  if (timezone === undefined) throw refuse(value, 'write it with an offset, such as "2026-03-10T12:00:00Z"');
  return instantOfLocal(given.ns, zone, timezone);
}

/** Nanoseconds of the instant of a local time of the zone; INVALID_ARGUMENT where the zone does not make it clear. */
export function instantOfLocal(ns: bigint, zone: TimeZoneRule, timezone: string): bigint {
  checkClear(ns, zone, timezone);
  const us = floorToUs(ns);
  return toInstantUs(openClock(timezone, zone.ambiguousTime), us) * 1000n + (ns - us * 1000n);
}

function parseTime(value: unknown): { readonly ns: bigint; readonly isInstant: boolean } {
  if (typeof value === 'bigint' || Number.isSafeInteger(value)) {
    return { ns: BigInt(value as bigint | number) * 1000n, isInstant: true };
  }
  const text = typeof value === 'string' ? value : '';
  if (!/^[+-]?\d{4,6}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d([.,]\d{1,9})?)?(Z|[+-]\d\d(:?\d\d)?)?)?$/i.test(text)) {
    throw refuse(value, 'write a time such as "2026-03-10T12:00:00.000001Z"');
  }
  try {
    const isInstant = /(Z|[T ].*[+-]\d\d(:?\d\d)?)$/i.test(text);
    const instant = isInstant ? text : `${text}${text.includes(':') ? '' : 'T00:00'}Z`;
    return { ns: Temporal.Instant.from(instant).epochNanoseconds, isInstant };
  } catch (cause) {
    if (cause instanceof RangeError) throw refuse(value, 'there is no such time');
    throw cause;
  }
}

function toLocal(ns: bigint, timezone: string, zone: TimeZoneRule, value: unknown): bigint {
  const offset = BigInt(Temporal.Instant.fromEpochNanoseconds(ns).toZonedDateTimeISO(timezone).offsetNanoseconds);
  const localUs = floorToUs(ns + offset);
  const clock = openClock(timezone, zone.ambiguousTime);
  const isClear = unclearKind(clock, localUs) === undefined || zone.ambiguousTime !== undefined;
  if (isClear && toInstantUs(clock, localUs) === floorToUs(ns)) return ns + offset;
  throw refuse(value, `its local time in ${timezone} exists twice, and the column would be read as the other one`);
}

function checkClear(ns: bigint, { ambiguousTime }: TimeZoneRule, timezone: string): void {
  if (ambiguousTime !== undefined) return;
  const us = floorToUs(ns);
  const kind = unclearKind(openClock(timezone), us);
  if (kind !== undefined) {
    throw unclearTimeError(
      timezone,
      us,
      kind,
      'a pushed time',
      "write it with an offset, or set ambiguousTime: 'earlier' or 'later'",
    );
  }
}

function floorToUs(ns: bigint): bigint {
  const rest = ((ns % 1000n) + 1000n) % 1000n;
  return (ns - rest) / 1000n;
}

function refuse(value: unknown, fix: string): FeatureStoreError {
  const shown = JSON.stringify(typeof value === 'bigint' ? String(value) : value)?.slice(0, 60);
  return new FeatureStoreError('INVALID_ARGUMENT', `${shown ?? typeof value} is no time that can be kept: ${fix}`);
}
