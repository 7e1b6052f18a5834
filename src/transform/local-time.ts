/** The wall clock of a zone at an instant, fast for many instants of one zone: a day's offset is asked for once. */
import { Temporal } from 'temporal-polyfill';
import type { LocalTime } from '../definitions/on-demand-feature-view.ts';
import { didYouMean, FeatureStoreError } from '../errors.ts';

/** The offset of a zone on one UTC day, in seconds, and the other one from `switchSeconds` of the epoch on. */
interface DayOffsets {
  readonly before: number;
  readonly switchSeconds: number;
  readonly after: number;
}

interface LocalDate {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly weekday: number;
}

const daySeconds = 86_400;
/** Requests choose zones, and frames may hold any day. */
const maxZones = 512;
const maxDays = 100_000;

const zones = new Map<string, Map<number, DayOffsets>>();
const dates = new Map<number, LocalDate>();

/** The wall clock of an IANA zone; INVALID_ARGUMENT where there is no such zone, OUT_OF_RANGE beyond the calendar's years. */
export function localTimeOf(epochMicros: bigint, zone: string): LocalTime {
  const seconds = Number((epochMicros - (((epochMicros % 1_000_000n) + 1_000_000n) % 1_000_000n)) / 1_000_000n);
  const day = Math.floor(seconds / daySeconds);
  const offsets = daysOf(zone);
  const { before, switchSeconds, after } = recall(offsets, day, () => readDay(zone, day));
  const local = seconds + (seconds < switchSeconds ? before : after);
  const localDay = Math.floor(local / daySeconds);
  const { year, month, day: dayOfMonth, weekday } = recall(dates, localDay, () => readDate(localDay));
  const rest = local - localDay * daySeconds;
  return {
    year,
    month,
    day: dayOfMonth,
    hour: Math.floor(rest / 3600),
    minute: Math.floor((rest % 3600) / 60),
    second: rest % 60,
    weekday,
  };
}

function daysOf(zone: string): Map<number, DayOffsets> {
  const known = zones.get(zone);
  if (known !== undefined) return known;
  checkZone(zone);
  if (zones.size >= maxZones) zones.delete(zones.keys().next().value as string);
  const days = new Map<number, DayOffsets>();
  zones.set(zone, days);
  return days;
}

function checkZone(zone: string): void {
  try {
    if (/^[A-Za-z]/.test(zone)) {
      offsetAt(zone, 0);
      return;
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  const near = didYouMean(zone, ['UTC', ...Intl.supportedValuesOf('timeZone')]);
  throw new FeatureStoreError('INVALID_ARGUMENT', `"${zone}" is no IANA zone${near}`, { details: { zone } });
}

function recall<T>(known: Map<number, T>, day: number, read: () => T): T {
  const found = known.get(day);
  if (found !== undefined) return found;
  if (known.size >= maxDays) known.clear();
  const made = read();
  known.set(day, made);
  return made;
}

/** No zone changes its clocks twice within one day: where both ends agree, so does what lies between. */
function readDay(zone: string, day: number): DayOffsets {
  const from = day * daySeconds;
  const to = from + daySeconds;
  const before = offsetAt(zone, from);
  const after = offsetAt(zone, to - 1);
  if (before === after) return { before, switchSeconds: to, after };
  let low = from;
  let high = to - 1;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetAt(zone, middle) === before) low = middle;
    else high = middle;
  }
  return { before, switchSeconds: high, after };
}

function offsetAt(zone: string, epochSeconds: number): number {
  return inCalendar(() => {
    const instant = Temporal.Instant.fromEpochNanoseconds(BigInt(epochSeconds) * 1_000_000_000n);
    return instant.toZonedDateTimeISO(zone).offsetNanoseconds / 1e9;
  }, epochSeconds);
}

function readDate(day: number): LocalDate {
  return inCalendar(() => {
    const date = new Temporal.PlainDate(1970, 1, 1).add({ days: day });
    return { year: date.year, month: date.month, day: date.day, weekday: date.dayOfWeek };
  }, day * daySeconds);
}

/** The calendar's last second, in the year 275760. */
const calendarSeconds = 8_640_000_000_000;

function inCalendar<T>(read: () => T, epochSeconds: number): T {
  // A day at the calendar's end is read at both of its ends, one of which may lie beyond.
  if (Math.abs(epochSeconds) <= calendarSeconds) return read();
  throw new FeatureStoreError('OUT_OF_RANGE', 'the time lies beyond the years of the calendar, which ends in 275760');
}
