/** Numbers, instants and values as people read them. */

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const precise = new Intl.NumberFormat('en', { maximumSignificantDigits: 4 });

/** Thousands are set apart; small fractions keep four digits; very small and very large numbers have an exponent. */
export function formatNumber(value: number | string | null | undefined): string {
  if (value === null || value === undefined) return '–';
  if (typeof value === 'string') return value;
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return whole.format(value);
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-4 || size >= 1e15) ? value.toExponential(2) : precise.format(value);
}

/** Of facts, which are left out where there is no number. */
export function numberOf(value: number | string | null | undefined): string | null {
  return value === null || value === undefined ? null : formatNumber(value);
}

/** Never 100 % where something is missing, nor 0 % where something is there. */
export function formatShare(share: number | null | undefined): string {
  if (share === null || share === undefined) return '–';
  const percent = share * 100;
  if (percent > 99.99 && percent < 100) return '> 99.99 %';
  if (percent > 0 && percent < 0.01) return '< 0.01 %';
  return `${Number(percent.toFixed(2))} %`;
}

/** UTC, to the second. */
export function formatInstant(iso: string | null | undefined): string {
  return iso == null ? '–' : iso.replace('T', ' ').replace(/(\.\d+)?(Z|\+00:00)$/, ' UTC');
}

const steps = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
] as const;

/** Such as `3 hours`; below a minute in seconds. */
export function formatSeconds(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return '–';
  for (const [name, size] of steps) if (seconds >= 2 * size) return `${whole.format(Math.floor(seconds / size))} ${name}s`;
  return `${Number(seconds.toFixed(seconds < 10 ? 1 : 0))} s`;
}

export function formatAge(iso: string | null | undefined): string {
  if (iso == null) return 'no events';
  const seconds = (Date.now() - Date.parse(iso)) / 1000;
  if (Number.isNaN(seconds)) return formatInstant(iso);
  return seconds < 0 ? `in ${formatSeconds(-seconds)}` : `${formatSeconds(Math.floor(seconds))} ago`;
}

/** A value of a feature as the server wrote it. */
export function formatValue(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'string') return value === '' ? '(empty text)' : value;
  return JSON.stringify(value);
}

/** Of kinds and members of reports: `lag_seconds` is `lag seconds`. */
export function words(name: string): string {
  return name.replaceAll('_', ' ');
}

const byteUnits = ['bytes', 'kB', 'MB', 'GB', 'TB'] as const;

/** In powers of 1000, with three digits. */
export function formatBytes(bytes: number): string {
  const step = Math.min(byteUnits.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  return step === 0 ? `${whole.format(bytes)} bytes` : `${Number((bytes / 1000 ** step).toPrecision(3))} ${byteUnits[step]}`;
}

/** `1 row`, `2 rows`. */
export function counted(count: number, name: string): string {
  return `${formatNumber(count)} ${name}${count === 1 ? '' : 's'}`;
}
