/** Values of a request as JSON text without loss: what JSON has no form for is written as the server reads it. */
import { FeatureStoreError } from '../../errors.ts';

/** int64 as bigint or a safe number; instants as Date or ISO text; bytes as Uint8Array; decimals as text. */
export type RequestValue = null | boolean | number | bigint | string | Date | Uint8Array | readonly RequestValue[];
export type RequestColumns = Readonly<Record<string, readonly RequestValue[]>>;

/** INVALID_ARGUMENT names the column and row of a value that would change on its way. */
export function encodeColumns(columns: RequestColumns): string {
  return encodeMembers(
    Object.fromEntries(
      Object.entries(columns).map(([name, values]) => [
        name,
        `[${values.map((value, row) => encodeValue(value, name, row)).join(',')}]`,
      ]),
    ),
  );
}

/** A JSON object of members that are JSON text already; absent ones are left out. */
export function encodeMembers(members: Readonly<Record<string, string | undefined>>): string {
  const written = Object.entries(members).filter(([, text]) => text !== undefined);
  return `{${written.map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(',')}}`;
}

function encodeValue(value: RequestValue | undefined, name: string, row: number): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'bigint') return `"${value}"`;
  if (typeof value === 'number') return encodeNumber(value, name, row);
  if (value instanceof Date) return JSON.stringify(value);
  if (value instanceof Uint8Array) return `"${Buffer.from(value).toString('base64')}"`;
  if (typeof value === 'object') return `[${value.map((item) => encodeValue(item, name, row)).join(',')}]`;
  return JSON.stringify(value);
}

function encodeNumber(value: number, name: string, row: number): string {
  if (!Number.isFinite(value)) return `"${value}"`;
  if (Object.is(value, -0)) return '-0.0';
  if (!Number.isInteger(value) || Number.isSafeInteger(value) || Math.abs(value) >= 2 ** 63) return String(value);
  throw new FeatureStoreError(
    'INVALID_ARGUMENT',
    `"${name}" has ${value} in row ${row}: a number above 2^53 may not be the one that was meant; write a bigint`,
    { details: { column: name, row } },
  );
}
