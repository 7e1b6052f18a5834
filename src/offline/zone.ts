/** Local times of an IANA zone as instants, by the years that are asked for, which SQL and JavaScript both read. */
import { Temporal } from 'temporal-polyfill';
import { didYouMean, FeatureStoreError } from '../errors.ts';

export type AmbiguousTime = 'earlier' | 'later';

/** Local times from `fromUs` up to `toUs` (microseconds of the zone's wall clock, as if it were UTC) that have one offset. */
export interface LocalSegment {
  readonly fromUs: bigint;
  readonly toUs: bigint;
  readonly offsetUs: bigint;
  /** For times that do not exist or exist twice, which the offset resolves by the zone's policy. */
  readonly kind?: 'missing' | 'twice';
}

export interface ZoneClock {
  readonly zone: string;
  /** The segment of a local time that `foldUs` has been applied to. */
  segmentAt(foldedUs: bigint): LocalSegment;
  /** The segments of one year, which lie behind one another without a gap. */
  segmentsOf(year: number): readonly LocalSegment[];
}

/** A year here is a 400th of the Gregorian cycle: year y holds the local times from y * yearUs on, up to the next year. */
export const yearUs = 31_556_952_000_000n;

/** From here on the rules of a zone repeat every 400 years: no zone has plans beyond 2100. */
export const foldFromUs = 130n * yearUs;
export const foldCycleUs = 400n * yearUs;
/** Before this year, 1800, every zone still has the local mean time that it begins with. */
const firstYear = -170;

/** The local time before the year 2500 whose offset is that of `localUs`. */
export function foldUs(localUs: bigint): bigint {
  return localUs < foldFromUs ? localUs : foldFromUs + ((localUs - foldFromUs) % foldCycleUs);
}

/** The year (see `yearUs`) of a local time that is folded. */
export function yearOf(foldedUs: bigint): number {
  const year = Number(foldedUs / yearUs);
  return foldedUs < 0n && BigInt(year) * yearUs !== foldedUs ? year - 1 : year;
}

const clocks = new Map<string, ZoneClock>();
/** Clients choose zones, and write them in many ways. */
const maxClocks = 64;

/** The clock of a zone, kept with the years that have been asked of it; RangeError where there is no such zone. */
export function openClock(zone: string, policy: AmbiguousTime = 'earlier'): ZoneClock {
  const key = `${zone} ${policy}`;
  const known = clocks.get(key);
  if (known !== undefined) return known;
  const clock = createClock(zone, policy);
  if (clocks.size >= maxClocks) clocks.delete(clocks.keys().next().value as string);
  clocks.set(key, clock);
  return clock;
}

function createClock(zone: string, policy: AmbiguousTime): ZoneClock {
  Temporal.Instant.fromEpochNanoseconds(0n).toZonedDateTimeISO(zone);
  const years = new Map<number, readonly LocalSegment[]>();
  const segmentsOf = (asked: number) => {
    const year = Math.max(firstYear, asked);
    const segments = years.get(year) ?? listSegments(zone, policy, year);
    years.set(year, segments);
    return segments;
  };
  // Neighbours are mostly of the same segment.
  let last: LocalSegment = { fromUs: 0n, toUs: 0n, offsetUs: 0n };
  return {
    zone,
    segmentsOf,
    segmentAt(us) {
      if (us >= last.fromUs && us < last.toUs) return last;
      const segments = segmentsOf(yearOf(us));
      last = segments.find((segment) => us < segment.toUs) ?? (segments.at(-1) as LocalSegment);
      return last;
    },
  };
}

const twoDaysUs = 172_800_000_000n;

/**
 * At a change of the clock from offset `before` to `after` at instant u, the local times between u + before and u + after are
 * missing or come twice. `earlier` reads them with the new offset, `later` with the old one where they are missing, and the other
 * way round where they come twice: the one gives the earlier, the other the later of the two instants (rule 1.2).
 */
function listSegments(zone: string, policy: AmbiguousTime, year: number): LocalSegment[] {
  const start = year === firstYear ? -(2n ** 63n) : BigInt(year) * yearUs;
  const end = BigInt(year + 1) * yearUs;
  const segments: LocalSegment[] = [];
  const add = (fromUs: bigint, toUs: bigint, offsetUs: bigint, kind?: LocalSegment['kind']) => {
    const [low, high] = [fromUs < start ? start : fromUs, toUs > end ? end : toUs];
    if (low < high) segments.push({ fromUs: low, toUs: high, offsetUs, ...(kind === undefined ? {} : { kind }) });
  };
  let at = Temporal.Instant.fromEpochNanoseconds((BigInt(year) * yearUs - twoDaysUs) * 1000n).toZonedDateTimeISO(zone);
  let before = offsetOf(at);
  let from = start;
  for (;;) {
    const next = at.getTimeZoneTransition('next');
    if (next === null || next.epochNanoseconds / 1000n > end + twoDaysUs) break;
    const instant = next.epochNanoseconds / 1000n;
    const after = offsetOf(next);
    if (after !== before) {
      const [low, high] = after > before ? [instant + before, instant + after] : [instant + after, instant + before];
      add(from, low, before);
      if (after > before) add(low, high, policy === 'earlier' ? after : before, 'missing');
      else add(low, high, policy === 'earlier' ? before : after, 'twice');
      from = high;
    }
    before = after;
    at = next;
  }
  add(from, end, before);
  return segments;
}

function offsetOf(at: Temporal.ZonedDateTime): bigint {
  return BigInt(at.offsetNanoseconds) / 1000n;
}

/** Fails with INVALID_ARGUMENT on a time zone that is not in the IANA database, naming the nearest. */
export function checkTimezone(timezone: string): void {
  try {
    openClock(timezone);
  } catch (cause) {
    const near = didYouMean(timezone, ['UTC', ...Intl.supportedValuesOf('timeZone')]);
    const message = `there is no time zone "${timezone}"${near || '; write an IANA name such as "UTC" or "Europe/Paris"'}`;
    throw new FeatureStoreError('INVALID_ARGUMENT', message, { details: { timezone }, cause });
  }
}

/** The instant of a local time, both in microseconds. */
export function toInstantUs(clock: ZoneClock, localUs: bigint): bigint {
  return localUs - clock.segmentAt(foldUs(localUs)).offsetUs;
}

/** Whether a local time is missing or comes twice, undefined when it is clear. */
export function unclearKind(clock: ZoneClock, localUs: bigint): LocalSegment['kind'] {
  return clock.segmentAt(foldUs(localUs)).kind;
}

/** The error for a local time that has no one instant; `where` says which column (and row) holds it. */
export function unclearTimeError(
  zone: string,
  localUs: bigint,
  kind: 'missing' | 'twice',
  where: string,
  fix: string,
  details: Readonly<Record<string, unknown>> = {},
): FeatureStoreError {
  const what = kind === 'missing' ? 'does not exist (the clocks go forward over it)' : 'exists twice (the clocks go back)';
  return new FeatureStoreError('INVALID_ARGUMENT', `${where}: local time ${formatLocal(localUs)} ${what} in ${zone}; ${fix}`, {
    details: { ...details, zone, localTime: formatLocal(localUs), kind },
  });
}

/** Microseconds as `2013-03-10 02:30:00.000000`; beyond the years that Temporal knows, as their count. */
export function formatLocal(us: bigint): string {
  if (us > maxTemporalUs || us < -maxTemporalUs) return `${us} microseconds from 1970-01-01`;
  return Temporal.Instant.fromEpochNanoseconds(us * 1000n)
    .toString({ fractionalSecondDigits: 6 })
    .replace('T', ' ')
    .replace('Z', '');
}

const maxTemporalUs = 8_640_000_000_000_000_000n;
