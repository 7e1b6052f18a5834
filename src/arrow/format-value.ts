/** Values of Arrow columns as text, for CSV files and for tables on a terminal. */
import { Temporal } from 'temporal-polyfill';
import { FeatureStoreError } from '../errors.ts';
import { type Field, formatType, type TimeUnit } from './schema.ts';

/** A value as readValue gives it, not null, as text. */
export type FormatValue = (value: unknown) => string;

/** The way to write a column's values, chosen once: times as ISO, bytes as base64, nested values as JSON. */
export function valueFormat(field: Field): FormatValue {
  const { type } = field;
  switch (type.id) {
    case 'timestamp': {
      const ending = type.timezone === undefined ? '' : 'Z';
      return (value) => formatInstant(value as bigint, type.unit, ending);
    }
    case 'date':
      return (value) => formatDate(type.unit === 'day' ? (value as number) : Number((value as bigint) / 86_400_000n));
    case 'time':
      return (value) => formatInstant(BigInt(value as bigint), type.unit, '').slice('1970-01-01T'.length);
    case 'binary':
    case 'largeBinary':
    case 'binaryView':
    case 'fixedSizeBinary':
      return (value) => Buffer.from(value as Uint8Array).toString('base64');
    case 'list':
    case 'largeList':
    case 'listView':
    case 'largeListView':
    case 'fixedSizeList':
    case 'struct':
    case 'map': {
      const toJson = jsonForm(field);
      return (value) => JSON.stringify(toJson(value));
    }
    case 'union':
    case 'runEndEncoded':
    case 'interval':
    case 'duration':
      throw new FeatureStoreError(
        'INVALID_ARGUMENT',
        `column "${field.name}" is ${formatType(field)}, which is not written as text`,
      );
    default:
      return (value) => String(value);
  }
}

/** A value as JSON holds it without loss: numbers up to 32 bits and finite floats as numbers, all else as the text of valueFormat. */
export function jsonForm(field: Field): (value: unknown) => unknown {
  const { type, children } = field;
  const parts = children.map((child) => orNull(jsonForm(child)));
  switch (type.id) {
    case 'bool':
      return (value) => value;
    case 'int':
      return (value) => (typeof value === 'bigint' ? String(value) : value);
    case 'float':
      return (value) => (Number.isFinite(value) ? value : String(value));
    case 'list':
    case 'largeList':
    case 'listView':
    case 'largeListView':
    case 'fixedSizeList':
      return (value) => (value as unknown[]).map((item) => parts[0]?.(item));
    case 'struct':
      return (value) =>
        Object.fromEntries(children.map(({ name }, index) => [name, parts[index]?.((value as Record<string, unknown>)[name])]));
    case 'map': {
      const [key, item] = (children[0] as Field).children.map((child) => orNull(jsonForm(child)));
      return (value) => (value as [unknown, unknown][]).map((pair) => [key?.(pair[0]), item?.(pair[1])]);
    }
    default:
      return valueFormat(field);
  }
}

function orNull(form: (value: unknown) => unknown): (value: unknown) => unknown {
  return (value) => (value === null || value === undefined ? null : form(value));
}

const unitNs: Readonly<Record<TimeUnit, bigint>> = { s: 1_000_000_000n, ms: 1_000_000n, us: 1000n, ns: 1n };
const unitDigits = { s: 0, ms: 3, us: 6, ns: 9 } as const;

/** Beyond what a calendar holds (DuckDB's infinities) the bare count of units. */
function formatInstant(value: bigint, unit: TimeUnit, ending: string): string {
  const ns = value * unitNs[unit];
  if (ns > 8_640_000_000_000_000_000_000n || ns < -8_640_000_000_000_000_000_000n) return String(value);
  return Temporal.Instant.fromEpochNanoseconds(ns).toString({ fractionalSecondDigits: unitDigits[unit] }).slice(0, -1) + ending;
}

function formatDate(days: number): string {
  return formatInstant(BigInt(days) * 86_400n, 's', '').slice(0, -'T00:00:00'.length);
}
