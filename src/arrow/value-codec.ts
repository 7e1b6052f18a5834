/** Values of fixed width to and from bytes: integers up to 32 bits and floats are numbers, wider ones bigints, decimals strings. */
import { FeatureStoreError } from '../errors.ts';
import type { ArrowType } from './schema.ts';

/** Writes one value at a byte offset; INVALID_ARGUMENT where it is of another kind or does not fit. */
export function encodeFixed(type: ArrowType, view: DataView, at: number, value: unknown): void {
  switch (type.id) {
    case 'float':
      if (typeof value !== 'number') throw mismatch(type, value);
      if (type.bits === 64) view.setFloat64(at, value, true);
      else if (type.bits === 32) view.setFloat32(at, value, true);
      else view.setUint16(at, halfBits(value), true);
      break;
    case 'decimal':
      writeInt(view, at, type.bits, parseDecimal(value, type.precision, type.scale), true);
      break;
    case 'fixedSizeBinary':
      if (!(value instanceof Uint8Array) || value.byteLength !== type.width) throw mismatch(type, value);
      new Uint8Array(view.buffer, view.byteOffset + at, type.width).set(value);
      break;
    case 'interval':
      encodeInterval(type.unit, view, at, value);
      break;
    default: {
      const { bits, signed } = integerOf(type);
      if (typeof value !== 'bigint' && !Number.isInteger(value)) throw mismatch(type, value);
      writeInt(view, at, bits, BigInt(value as bigint | number), signed);
    }
  }
}

/** Reads one value at a byte offset. */
export function decodeFixed(type: ArrowType, view: DataView, at: number): unknown {
  switch (type.id) {
    case 'float':
      if (type.bits === 64) return view.getFloat64(at, true);
      return type.bits === 32 ? view.getFloat32(at, true) : halfValue(view.getUint16(at, true));
    case 'decimal':
      return formatDecimal(readInt(view, at, type.bits, true), type.scale);
    case 'fixedSizeBinary':
      return new Uint8Array(view.buffer, view.byteOffset + at, type.width);
    case 'interval':
      return decodeInterval(type.unit, view, at);
    default: {
      const { bits, signed } = integerOf(type);
      const value = readInt(view, at, bits, signed);
      return bits === 64 ? value : Number(value);
    }
  }
}

/** Writes an unscaled decimal with its point: `formatDecimal(-5n, 2)` is `-0.05`. */
function formatDecimal(unscaled: bigint, scale: number): string {
  const sign = unscaled < 0n ? '-' : '';
  const digits = String(unscaled < 0n ? -unscaled : unscaled);
  if (scale <= 0) return sign + (unscaled === 0n ? '0' : digits + '0'.repeat(-scale));
  const padded = digits.padStart(scale + 1, '0');
  return `${sign}${padded.slice(0, -scale)}.${padded.slice(-scale)}`;
}

/** The unscaled value of a decimal; INVALID_ARGUMENT where its digits do not fit precision and scale exactly. */
export function parseDecimal(value: unknown, precision: number, scale: number): bigint {
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(String(value));
  const [, sign = '', whole = '', fraction = ''] = match ?? [];
  const surplus = fraction.slice(Math.max(0, scale));
  const unscaledText = whole + fraction.slice(0, Math.max(0, scale)).padEnd(Math.max(0, scale), '0');
  const divisor = 10n ** BigInt(Math.max(0, -scale));
  const digits = match === null ? 0n : BigInt(unscaledText);
  if (match === null || /[1-9]/.test(surplus) || digits % divisor !== 0n || digits / divisor >= 10n ** BigInt(precision)) {
    throw new FeatureStoreError('INVALID_ARGUMENT', `"${String(value)}" is not a decimal(${precision}, ${scale})`);
  }
  return sign === '-' ? -(digits / divisor) : digits / divisor;
}

function integerOf(type: ArrowType): { bits: number; signed: boolean } {
  switch (type.id) {
    case 'int':
      return type;
    case 'date':
      return { bits: type.unit === 'day' ? 32 : 64, signed: true };
    case 'time':
      return { bits: type.bits, signed: true };
    default:
      return { bits: 64, signed: true };
  }
}

function writeInt(view: DataView, at: number, bits: number, value: bigint, signed: boolean): void {
  if (value !== (signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value))) {
    throw new FeatureStoreError('INVALID_ARGUMENT', `${value} does not fit ${bits} bits${signed ? '' : ' without sign'}`);
  }
  for (let byte = 0, rest = value; byte < bits / 8; byte++, rest >>= 8n) view.setUint8(at + byte, Number(rest & 255n));
}

function readInt(view: DataView, at: number, bits: number, signed: boolean): bigint {
  let value = 0n;
  for (let byte = bits / 8 - 1; byte >= 0; byte--) value = (value << 8n) | BigInt(view.getUint8(at + byte));
  return signed ? BigInt.asIntN(bits, value) : value;
}

interface IntervalValue {
  readonly months?: number;
  readonly days?: number;
  readonly milliseconds?: number;
  readonly nanoseconds?: bigint;
}

function encodeInterval(unit: 'yearMonth' | 'dayTime' | 'monthDayNano', view: DataView, at: number, value: unknown): void {
  const { months = 0, days = 0, milliseconds = 0, nanoseconds = 0n } = value as IntervalValue;
  view.setInt32(at, unit === 'dayTime' ? days : months, true);
  if (unit === 'yearMonth') return;
  view.setInt32(at + 4, unit === 'dayTime' ? milliseconds : days, true);
  if (unit === 'monthDayNano') view.setBigInt64(at + 8, nanoseconds, true);
}

function decodeInterval(unit: 'yearMonth' | 'dayTime' | 'monthDayNano', view: DataView, at: number): IntervalValue {
  const first = view.getInt32(at, true);
  if (unit === 'yearMonth') return { months: first };
  const second = view.getInt32(at + 4, true);
  if (unit === 'dayTime') return { days: first, milliseconds: second };
  return { months: first, days: second, nanoseconds: view.getBigInt64(at + 8, true) };
}

/** IEEE half precision: 1 sign, 5 exponent and 10 fraction bits. */
export function halfValue(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The half-precision bits of a number that has some exactly; others are refused rather than rounded. */
function halfBits(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  if (magnitude === Number.POSITIVE_INFINITY) return sign | 0x7c00;
  const exponent = Math.max(-14, Math.floor(Math.log2(magnitude)));
  const bits =
    magnitude < 2 ** -14
      ? Math.round(magnitude * 2 ** 24)
      : ((exponent + 15) << 10) | (Math.round((magnitude / 2 ** exponent) * 1024) & 1023);
  if (halfValue(sign | bits) !== value) throw new FeatureStoreError('INVALID_ARGUMENT', `${value} has no exact float16`);
  return sign | bits;
}

function mismatch(type: ArrowType, value: unknown): FeatureStoreError {
  return new FeatureStoreError(
    'INVALID_ARGUMENT',
    `A value of type ${type.id} was expected, got ${typeof value} ${String(value)}`,
  );
}
