/** Dates as text and as days since 1970-01-01, in the proleptic Gregorian calendar, of any year. */

/** Days since 1970-01-01 of `2026-03-10`; years beyond four digits are written with a sign (`+12026-03-10`). undefined for no date. */
export function parseDay(text: string): number | undefined {
  const found = /^(\d{4}|[+-]\d{4,7})-(\d\d)-(\d\d)$/.exec(text);
  if (found === null) return undefined;
  const days = daysOf(Number(found[1]), Number(found[2]), Number(found[3]));
  return formatDay(days).endsWith(text.slice(-6)) ? days : undefined;
}

/** The inverse of parseDay; a year outside 0000 to 9999 has a sign and at least six digits. */
export function formatDay(days: number): string {
  // Eras of 400 years that begin with a March, so that the leap day comes last.
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1;
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return `${formatYear(year)}-${twoDigits(month)}-${twoDigits(day)}`;
}

function daysOf(year: number, month: number, day: number): number {
  const fromMarch = month <= 2 ? year - 1 : year;
  const era = Math.floor(fromMarch / 400);
  const yearOfEra = fromMarch - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  return era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468;
}

function formatYear(year: number): string {
  if (year >= 0 && year <= 9999) return String(year).padStart(4, '0');
  return (year < 0 ? '-' : '+') + String(Math.abs(year)).padStart(6, '0');
}

function twoDigits(part: number): string {
  return part < 10 ? `0${part}` : String(part);
}
