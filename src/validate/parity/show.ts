/** Values, rows and events as JSON: lossless, as our HTTP face writes values. */
import { formatInstantUs, type LiteralValue } from '../../definitions/literal.ts';
import { statusNames } from '../../definitions/status.ts';
import { parseValueType, type ValueType } from '../../definitions/value-type.ts';
import type { Contribution } from '../../offline/contributions.ts';
import type { ViewDocument } from '../../registry/document.ts';
import { eventViewOf } from '../../registry/event-view.ts';
import type { Side } from './compare-feature.ts';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** Integers of 64 bits and decimals as text, instants in ISO 8601, bytes in base64, NaN and infinities by name. */
export function showValue(type: ValueType, value: LiteralValue): Json {
  if (value === null) return null;
  if (Array.isArray(value)) {
    const element: ValueType = type.kind === 'list' ? type.element : { kind: 'float64' };
    return value.map((item) => showValue(element, item));
  }
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (typeof value === 'bigint') return type.kind === 'timestamp' ? formatInstantUs(value) : String(value);
  if (typeof value === 'number') return showNumber(value);
  return value as string | boolean;
}

export function showNumber(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}

export function showInstant(us: bigint | null | undefined): string | null {
  return us == null ? null : formatInstantUs(us);
}

/** One row of a side. */
export function showServed(type: ValueType, side: Side, row: number): Json {
  return {
    value: showValue(type, side.values[row] as LiteralValue),
    status: statusNames[side.statuses[row] as number] as string,
    is_default: side.isDefault[row] === 1,
    event_timestamp: showInstant(side.eventUs[row]),
  };
}

/** Of a batch view its features, of a stream view what its expressions say of the event. */
export function showContribution(view: ViewDocument, row: Contribution): Json {
  const { view: read } = view.kind === 'stream' ? eventViewOf(view) : { view };
  const name = (at: number) => (view.kind === 'stream' ? `expression ${at + 1}` : (view.features[at]?.name as string));
  const values = read.features.map(({ type }, at) => [name(at), showValue(parseValueType(type), row.values[at] as LiteralValue)]);
  const { file, partition, offset } = row;
  return {
    event_timestamp: showInstant(row.eventUs),
    ...(row.createdUs === null ? {} : { created_timestamp: showInstant(row.createdUs) }),
    ...(row.availableUs === null ? {} : { available_at: showInstant(row.availableUs) }),
    values: Object.fromEntries(values) as Json,
    ...(file === undefined ? {} : { file: file.path, archived: file.isArchived, file_written: showInstant(file.modifiedUs) }),
    ...(partition === null ? {} : { partition, offset: String(offset) }),
    ...(row.isLate ? { late: true } : {}),
  };
}
