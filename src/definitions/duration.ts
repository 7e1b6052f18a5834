/** Durations as definitions write them (rule 1.4): a whole number and one unit, read into microseconds. */
import { FeatureStoreError } from '../errors.ts';

const unitUs = { s: 1_000_000n, m: 60_000_000n, h: 3_600_000_000n, d: 86_400_000_000n } as const;

/** 10,000 years: any instant plus or minus it still fits 64 bits. */
const maxUs = 3_652_500n * unitUs.d;

/** `90s`, `5m`, `12h`, `7d`; `0` alone needs no unit. */
export type DurationText = `${number}${keyof typeof unitUs}` | '0';

/** Microseconds of `90s`, `5m`, `12h` or `7d`; a day is 86,400 s. INVALID_ARGUMENT says how durations are written. */
export function parseDurationUs(text: string): bigint {
  if (text === '0') return 0n;
  const found = typeof text === 'string' ? /^(\d+)([smhd])$/.exec(text) : null;
  if (found === null) throw refuse(text, 'a duration is a whole number and one of the units s, m, h, d: 90s, 5m, 12h, 7d');
  const us = BigInt(found[1] as string) * unitUs[found[2] as keyof typeof unitUs];
  if (us > maxUs) throw refuse(text, 'a duration is at most 3652500d');
  return us;
}

/** The shortest spelling of a duration of whole seconds. */
export function formatDurationUs(us: bigint): string {
  const unit = (['d', 'h', 'm'] as const).find((name) => us % unitUs[name] === 0n) ?? 's';
  return `${us / unitUs[unit]}${unit}`;
}

function refuse(text: unknown, why: string): FeatureStoreError {
  return new FeatureStoreError('INVALID_ARGUMENT', `duration "${String(text)}" cannot be read: ${why}`, {
    details: { duration: String(text) },
  });
}
