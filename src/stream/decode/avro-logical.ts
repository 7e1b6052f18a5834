/** Avro's logical types as raw values of events: times with their units, decimals as text, dates as text. */
import { formatDay } from '../../definitions/day.ts';
import { TypedTime } from './read-time.ts';

const nsOf: Readonly<Record<string, bigint>> = { millis: 1_000_000n, micros: 1000n, nanos: 1n };

/** `unit` is the end of the type's name, such as `millis`. */
export function readTypedTime(count: number | bigint, unit: string, isLocal: boolean): TypedTime {
  return new TypedTime(BigInt(count) * (nsOf[unit] as bigint), isLocal);
}

export function readDay(days: number): string {
  return formatDay(days);
}

/** Two's complement, most significant byte first, of the value without its point. */
export function readDecimal(bytes: Uint8Array, scale: number): string {
  let unscaled = 0n;
  for (const byte of bytes) unscaled = (unscaled << 8n) | BigInt(byte);
  if (bytes.length > 0) unscaled = BigInt.asIntN(8 * bytes.length, unscaled);
  const sign = unscaled < 0n ? '-' : '';
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
  return scale === 0 ? sign + digits : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}
