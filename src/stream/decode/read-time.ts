/** Times of events: ISO text, counts of microseconds, and what formats with types of their own know of theirs. */
import { parseDay } from '../../definitions/day.ts';
import { instantOfLocal, readPushedTime, type TimeZoneRule } from '../../offline/archive/times.ts';
import { Refusal, refusalOf, refuse, showValue } from './refusal.ts';

/** A time whose unit and zone its format declares, so that there is nothing to guess. */
export class TypedTime {
  readonly ns: bigint;
  /** A wall clock's, as if it were UTC. */
  readonly isLocal: boolean;

  constructor(ns: bigint, isLocal: boolean) {
    this.ns = ns;
    this.isLocal = isLocal;
  }

  toJSON(): string {
    return `${this.ns} ns${this.isLocal ? ', local' : ''}`;
  }
}

/** Microseconds since the epoch, of times within the years that the calendar knows. */
export type ReadTime = (value: unknown) => bigint | Refusal;

export function compileReadTime(zone: TimeZoneRule): ReadTime {
  const read = (value: unknown): bigint | Refusal => {
    if (typeof value === 'string') {
      const us = readUtc(value);
      if (us !== undefined) return us;
      if (/^-?\d{1,20}$/.test(value)) return readCount(BigInt(value), value);
    } else if (typeof value === 'bigint') return readCount(value, value);
    else if (typeof value === 'number') {
      return Number.isSafeInteger(value) ? readCount(BigInt(value), value) : refuseNumber(value);
    }
    if (value instanceof TypedTime && value.isLocal && zone.timezone === undefined) {
      return refuse(value, 'instant', "it has no zone; name the source's in `timezone`");
    }
    if (typeof value !== 'string' && !(value instanceof TypedTime)) {
      return refuse(value, 'time', 'write an ISO instant such as "2026-03-10T12:00:00.000001Z", or microseconds since 1970');
    }
    return inRange(toUs(readNs(value, zone), value), value);
  };
  return (value) => {
    try {
      return read(value);
    } catch (error) {
      return refusalOf(error);
    }
  };
}

/** The calendar's ends, 275760 years to both sides. */
const maxUs = 8_640_000_000_000_000_000n;

function inRange(us: bigint | Refusal, value: unknown): bigint | Refusal {
  if (us instanceof Refusal || (us <= maxUs && us >= -maxUs)) return us;
  return refuse(value, 'time', 'it is out of range');
}

function readNs(value: string | TypedTime, zone: TimeZoneRule): bigint {
  if (typeof value === 'string') return readPushedTime(value, zone, 'instant');
  return value.isLocal ? instantOfLocal(value.ns, zone, zone.timezone as string) : value.ns;
}

function toUs(ns: bigint, value: unknown): bigint | Refusal {
  return ns % 1000n === 0n ? ns / 1000n : refuse(value, 'time that can be kept', 'it has parts of a microsecond');
}

/** Counts that are instants of our days in another unit, and as microseconds lie at the epoch or far ahead. */
function readCount(count: bigint, value: unknown): bigint | Refusal {
  if ((count >= 100_000_000_000_000n && count < 100_000_000_000_000_000n) || count < 100_000_000n) return inRange(count, value);
  const unit = count >= 100_000_000_000_000_000n ? 'nanoseconds' : count >= 100_000_000_000n ? 'milliseconds' : 'seconds';
  return suspicious(value, unit);
}

function refuseNumber(value: number): Refusal {
  if (value >= 1e8 && value < 1e11) return suspicious(value, 'seconds');
  return refuse(value, 'time', 'write whole microseconds since 1970, or an ISO instant such as "2026-03-10T12:00:00.000001Z"');
}

function suspicious(value: unknown, unit: string): Refusal {
  return new Refusal(`${showValue(value)} is a suspicious epoch: it looks like ${unit}, and times are counted in microseconds`);
}

/** The day that was read last: neighbours are mostly of one. */
let lastDay = '';
let lastDays = 0;

/** The usual shape, `2026-03-10T12:00:00.000001Z` with up to six digits of a second; undefined for every other. */
function readUtc(text: string): bigint | undefined {
  const { length } = text;
  const isShaped =
    length >= 20 &&
    length <= 27 &&
    text.charCodeAt(length - 1) === 0x5a &&
    text.charCodeAt(10) === 0x54 &&
    text.charCodeAt(13) === 0x3a &&
    text.charCodeAt(16) === 0x3a;
  if (!isShaped) return undefined;
  const day = text.slice(0, 10);
  if (day !== lastDay) {
    const days = parseDay(day);
    if (days === undefined) return undefined;
    lastDay = day;
    lastDays = days;
  }
  const hours = twoDigits(text, 11);
  const minutes = twoDigits(text, 14);
  const seconds = twoDigits(text, 17);
  const us = length === 20 ? 0 : fractionUs(text);
  if (!(hours < 24 && minutes < 60 && seconds < 60) || us === undefined) return undefined;
  return BigInt(lastDays * 86_400 + hours * 3600 + minutes * 60 + seconds) * 1_000_000n + BigInt(us);
}

/** NaN where one is no digit. */
function twoDigits(text: string, at: number): number {
  const [tens, ones] = [text.charCodeAt(at) - 0x30, text.charCodeAt(at + 1) - 0x30];
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? 10 * tens + ones : Number.NaN;
}

function fractionUs(text: string): number | undefined {
  if (text.charCodeAt(19) !== 0x2e || text.length < 22) return undefined;
  let us = 0;
  for (let at = 20; at < 26; at++) {
    const digit = at < text.length - 1 ? text.charCodeAt(at) - 0x30 : 0;
    if (!(digit >= 0 && digit <= 9)) return undefined;
    us = 10 * us + digit;
  }
  return us;
}
