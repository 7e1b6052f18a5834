/** Local times of an IANA zone as instants, by a table of steps that SQL and JavaScript both read. */
import { Temporal } from 'temporal-polyfill';
import { didYouMean, FeatureStoreError } from '../errors.ts';

export type AmbiguousTime = 'earlier' | 'later';

export interface ZoneSteps {
  readonly zone: string;
  /** Offset from UTC of local times before the first step, in microseconds. */
  readonly firstOffsetUs: bigint;
  /** From local time `fromUs` on (microseconds of the zone's wall clock, as if it were UTC) the offset is `offsetUs`. */
  readonly steps: readonly { readonly fromUs: bigint; readonly offsetUs: bigint }[];
  /** Half-open ranges of local times that do not exist or exist twice. */
  readonly unclear: readonly { readonly fromUs: bigint; readonly toUs: bigint; readonly kind: 'missing' | 'twice' }[];
}

const dayUs = 86_400_000_000n;

/**
 * The steps that hold for local times from `minUs` to `maxUs`. At a change of the clock from offset `before` to `after` at instant
 * u, the local times between u + before and u + after are missing or come twice. `earlier` reads them with the new offset from
 * u + before on, `later` from u + after on: in both cases that gives the earlier, or the later, of the two instants (rule 1.2).
 */
export function zoneSteps(zone: string, minUs: bigint, maxUs: bigint, policy: AmbiguousTime = 'earlier'): ZoneSteps {
  let at = Temporal.Instant.fromEpochNanoseconds(clampNs((minUs - 2n * dayUs) * 1000n)).toZonedDateTimeISO(zone);
  const firstOffsetUs = BigInt(at.offsetNanoseconds) / 1000n;
  const steps: { fromUs: bigint; offsetUs: bigint }[] = [];
  const unclear: { fromUs: bigint; toUs: bigint; kind: 'missing' | 'twice' }[] = [];
  let before = firstOffsetUs;
  for (;;) {
    const next = at.getTimeZoneTransition('next');
    if (next === null || next.epochNanoseconds / 1000n > maxUs + 2n * dayUs) break;
    const instant = next.epochNanoseconds / 1000n;
    const after = BigInt(next.offsetNanoseconds) / 1000n;
    if (after !== before) {
      const [low, high] = after > before ? [instant + before, instant + after] : [instant + after, instant + before];
      steps.push({ fromUs: instant + (policy === 'earlier' ? before : after), offsetUs: after });
      unclear.push({ fromUs: low, toUs: high, kind: after > before ? 'missing' : 'twice' });
    }
    before = after;
    at = next;
  }
  return { zone, firstOffsetUs, steps, unclear };
}

/** Fails with INVALID_ARGUMENT on a time zone that is not in the IANA database, naming the nearest. */
export function checkTimezone(timezone: string): void {
  try {
    zoneSteps(timezone, 0n, 0n);
  } catch (cause) {
    const near = didYouMean(timezone, ['UTC', ...Intl.supportedValuesOf('timeZone')]);
    const message = `there is no time zone "${timezone}"${near || '; write an IANA name such as "UTC" or "Europe/Paris"'}`;
    throw new FeatureStoreError('INVALID_ARGUMENT', message, { details: { timezone }, cause });
  }
}

/** The instant of a local time, both in microseconds. */
export function toInstantUs(zone: ZoneSteps, localUs: bigint): bigint {
  let low = 0;
  let high = zone.steps.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((zone.steps[middle] as { fromUs: bigint }).fromUs <= localUs) low = middle + 1;
    else high = middle;
  }
  return localUs - (low === 0 ? zone.firstOffsetUs : (zone.steps[low - 1] as { offsetUs: bigint }).offsetUs);
}

/** Whether a local time is missing or comes twice, undefined when it is clear. */
export function unclearKind(zone: ZoneSteps, localUs: bigint): 'missing' | 'twice' | undefined {
  return zone.unclear.find((range) => range.fromUs <= localUs && localUs < range.toUs)?.kind;
}

/** The error for a local time that has no one instant; `where` says which column (and row) holds it. */
export function unclearTimeError(
  zone: string,
  localUs: bigint,
  kind: 'missing' | 'twice',
  where: string,
  fix: string,
): FeatureStoreError {
  const what = kind === 'missing' ? 'does not exist (the clocks go forward over it)' : 'exists twice (the clocks go back)';
  return new FeatureStoreError('INVALID_ARGUMENT', `${where}: local time ${formatLocal(localUs)} ${what} in ${zone}; ${fix}`, {
    details: { zone, localTime: formatLocal(localUs), kind },
  });
}

/** Microseconds as `2013-03-10 02:30:00.000000`. */
export function formatLocal(us: bigint): string {
  return Temporal.Instant.fromEpochNanoseconds(us * 1000n)
    .toString({ fractionalSecondDigits: 6 })
    .replace('T', ' ')
    .replace('Z', '');
}

const limitNs = 8_640_000_000_000_000_000_000n;

function clampNs(ns: bigint): bigint {
  return ns < -limitNs ? -limitNs : ns > limitNs ? limitNs : ns;
}
