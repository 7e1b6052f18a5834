/** Instants as text, fast enough for every value of an answer. */

const microsPerSecond = 1_000_000n;
const daysPerEra = 146_097;

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
  return `${formatDays(days)}T${pairs[hour]}:${pairs[minute]}:${pairs[rest % 60]}.${String(micros).padStart(6, '0')}Z`;
}

/** The date so many days after 1970-01-01 in the proleptic Gregorian calendar, counted from the first of March of year 0. */
function formatDays(days: number): string {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / daysPerEra);
  const dayOfEra = shifted - era * daysPerEra;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1;
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return `${formatYear(year)}-${pairs[month]}-${pairs[day]}`;
}

function formatYear(year: number): string {
  if (year >= 0 && year <= 9_999) return String(year).padStart(4, '0');
  return `${year < 0 ? '-' : '+'}${String(Math.abs(year)).padStart(6, '0')}`;
}

const pairs = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, '0'));
