/** Values of the request that transforms read: columns of the entity frame, as plain values of the types that are declared. */
import { getBit } from '../../arrow/bitmap.ts';
import type { Column } from '../../arrow/column.ts';
import { readValue } from '../../arrow/read-value.ts';
import { type Field, formatType } from '../../arrow/schema.ts';
import { formatDay } from '../../definitions/day.ts';
import { encodeLiteral, type LiteralValue } from '../../definitions/literal.ts';
import { formatValueType, type ValueType } from '../../definitions/value-type.ts';
import { FeatureStoreError } from '../../errors.ts';
import { featureField } from '../feature-field.ts';
import { readLiterals } from '../literal-column.ts';

/** A request value and the column that holds it. */
export interface RequestColumn {
  readonly name: string;
  readonly type: ValueType;
  /** The on-demand views that read it. */
  readonly views: readonly string[];
}

/** Refuses a column that can hold no values of the type. */
export function checkRequestColumn({ name, type, views }: RequestColumn, field: Field): void {
  if (accepts(field, type)) return;
  const zoneless = type.kind === 'timestamp' && field.type.id === 'timestamp';
  const fix = zoneless ? '; send it with a zone (pandas: df[column].dt.tz_localize("UTC"))' : '';
  throw new FeatureStoreError(
    'INVALID_ARGUMENT',
    `request value "${name}" of ${quote(views)} is ${formatValueType(type)}, and column "${name}" of the frame is ${formatType(field)}${fix}`,
    { details: { column: name, type: formatType(field) } },
  );
}

/** Whether every value of such a column is a value of the type. */
export function isRequestField(field: Field, type: ValueType): boolean {
  return field.dictionary === undefined && formatType(field) === formatType(featureField(field.name, type));
}

/** Reads a column, row 0 of which is row `firstRow` of the whole frame; the first value that is none of the type is refused. */
export function readRequest(request: RequestColumn, column: Column, firstRow: number): LiteralValue[] {
  const { name, type } = request;
  if (isRequestField(column.field, type)) return readLiterals(column, type, 0, column.length);
  const validity = column.nullCount > 0 ? column.validity : undefined;
  const convert = converter(type, column.field);
  return Array.from({ length: column.length }, (_, row) => {
    if (validity !== undefined && !getBit(validity, row)) return null;
    const value = readValue(column, row);
    try {
      return value === null ? null : convert(value);
    } catch (error) {
      if (!(error instanceof FeatureStoreError)) throw error;
      const where = `column "${name}", row ${firstRow + row}`;
      throw new FeatureStoreError(error.code, `${where}: ${error.message} (a request value of ${quote(request.views)})`, {
        details: { column: name, row: firstRow + row },
      });
    }
  });
}

function quote(views: readonly string[]): string {
  return views.map((view) => `"${view}"`).join(', ');
}

const texts = ['utf8', 'largeUtf8', 'utf8View'];
const binaries = ['binary', 'largeBinary', 'binaryView', 'fixedSizeBinary'];
const lists = ['list', 'largeList', 'listView', 'largeListView', 'fixedSizeList'];

function accepts(field: Field, type: ValueType): boolean {
  const { type: arrow } = field;
  if (arrow.id === 'null') return true;
  switch (type.kind) {
    case 'bool':
      return arrow.id === 'bool';
    case 'int32':
    case 'int64':
    case 'float32':
    case 'float64':
      return arrow.id === 'int' || arrow.id === 'float';
    case 'string':
      return texts.includes(arrow.id);
    case 'bytes':
      return binaries.includes(arrow.id);
    case 'timestamp':
      return arrow.id === 'timestamp' && arrow.timezone !== undefined && arrow.timezone !== '';
    case 'date':
      return arrow.id === 'date';
    case 'decimal':
      return arrow.id === 'decimal' || arrow.id === 'int';
    case 'list':
      return acceptsElements(field, type.element);
    case 'vector':
      return acceptsElements(field, { kind: type.element });
  }
}

function acceptsElements({ type, children }: Field, element: ValueType): boolean {
  const child = children[0];
  return lists.includes(type.id) && child !== undefined && child.dictionary === undefined && accepts(child, element);
}

/** From a value as `readValue` gives it, of a column that is accepted. */
function converter(type: ValueType, field: Field): (value: unknown) => LiteralValue {
  switch (type.kind) {
    // NaN is what pandas writes for null where integers are.
    case 'int32':
      return (value) => (Number.isNaN(value) ? null : Number(toInteger(type, value, 32)));
    case 'int64':
      return (value) => (Number.isNaN(value) ? null : toInteger(type, value, 64));
    case 'float32':
      return (value) => encodeFloat(type, Math.fround(toFloat(type, value)), value);
    case 'float64':
      return (value) => toFloat(type, value);
    case 'timestamp':
      return (value) => toMicroseconds(field, value as bigint);
    case 'date':
      return (value) =>
        formatDay(field.type.id === 'date' && field.type.unit === 'ms' ? floorDays(value as bigint) : (value as number));
    case 'decimal':
      return (value) => encodeLiteral(type, value) as string;
    case 'list': {
      const convert = converter(type.element, field.children[0] as Field);
      return (value) => (value as readonly unknown[]).map((item) => (item === null ? null : convert(item)));
    }
    case 'vector': {
      const convert = converter({ kind: type.element }, field.children[0] as Field);
      return (value) => {
        const items = value as readonly unknown[];
        if (items.length !== type.length) throw refuse(`a list of ${items.length}`, type, `it must have ${type.length} numbers`);
        return items.map((item) => (item === null ? refuseNull(type) : convert(item)));
      };
    }
    default:
      return (value) => value as LiteralValue;
  }
}

/** Floats too, where they are whole: pandas makes such columns. */
function toInteger(type: ValueType, value: unknown, bits: 32 | 64): bigint {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) throw refuse(`${value}`, type, 'it is not whole, or above 2^53');
  const integer = BigInt(value as number | bigint);
  return BigInt.asIntN(bits, integer) === integer ? integer : refuseValue(value, type);
}

function toFloat(type: ValueType, value: unknown): number {
  if (typeof value === 'number') return value;
  const float = Number(value);
  return BigInt(float) === value ? float : refuseValue(value, type);
}

function encodeFloat(type: ValueType, rounded: number, value: unknown): number {
  return Number.isFinite(rounded) || !Number.isFinite(Number(value)) ? rounded : refuseValue(value, type);
}

const perUnit = { s: 1_000_000n, ms: 1_000n, us: 1n, ns: 1n } as const;

/** Nanoseconds are floored (rule 1.1). */
function toMicroseconds({ type }: Field, value: bigint): bigint {
  const unit = type.id === 'timestamp' ? type.unit : 'us';
  if (unit === 'ns') return value >= 0n ? value / 1000n : (value - 999n) / 1000n;
  const us = value * perUnit[unit];
  return BigInt.asIntN(64, us) === us ? us : refuseValue(value, { kind: 'timestamp' });
}

function floorDays(ms: bigint): number {
  return Math.floor(Number(ms) / 86_400_000);
}

function refuseNull(type: ValueType): never {
  throw refuse('a list with a null', type, 'every element must be a number');
}

function refuseValue(value: unknown, type: ValueType): never {
  throw refuse(String(value), type, 'it does not fit');
}

function refuse(what: string, type: ValueType, why: string): FeatureStoreError {
  return new FeatureStoreError('INVALID_ARGUMENT', `${what} is no ${formatValueType(type)}: ${why}`);
}
