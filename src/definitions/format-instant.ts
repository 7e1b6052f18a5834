/** Instants as text, fast enough for every value of an answer. */
import { formatDay } from './day.ts';

const microsPerSecond = 1_000_000n;

/** `2026-03-10T12:00:00.000001Z`, always with six digits; years outside 0 to 9999 with a sign and six digits. */
export function formatInstantUs(us: bigint): string {
  let seconds = us / microsPerSecond;
  let micros = us % microsPerSecond;
  if (micros < 0n) {
    micros += microsPerSecond;
    seconds -= 1n;
  }
  // An int64 of microseconds holds fewer than 2^44 seconds, which a double counts exactly.
  const whole = Number(seconds);
  const days = Math.floor(whole / 86_400);
  const rest = whole - days * 86_400;
  const hour = Math.floor(rest / 3_600);
  const minute = Math.floor((rest % 3_600) / 60);
  return `${formatDay(days)}T${pairs[hour]}:${pairs[minute]}:${pairs[rest % 60]}.${String(micros).padStart(6, '0')}Z`;
}

const pairs = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, '0'));
