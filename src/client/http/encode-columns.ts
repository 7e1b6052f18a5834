/** Values of a request as JSON text without loss: what JSON has no form for is written as the server reads it. */

/** int64 as bigint or a safe number; instants as Date or ISO text; bytes as Uint8Array; decimals as text. */
export type RequestValue = null | boolean | number | bigint | string | Date | Uint8Array | readonly RequestValue[];
export type RequestColumns = Readonly<Record<string, readonly RequestValue[]>>;

/** Columns, or single values, by name as a JSON object. */
export function encodeColumns(columns: Readonly<Record<string, RequestValue>>): string {
  return encodeMembers(Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, encodeValue(values)])));
}

/** A JSON object of members that are JSON text already; absent ones are left out. */
export function encodeMembers(members: Readonly<Record<string, string | undefined>>): string {
  const written = Object.entries(members).filter(([, text]) => text !== undefined);
  return `{${written.map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(',')}}`;
}

function encodeValue(value: RequestValue | undefined): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'bigint') return `"${value}"`;
  if (typeof value === 'number') return encodeNumber(value);
  if (value instanceof Date) return JSON.stringify(value);
  if (value instanceof Uint8Array) return `"${Buffer.from(value).toString('base64')}"`;
  if (typeof value === 'object') return `[${value.map(encodeValue).join(',')}]`;
  return JSON.stringify(value);
}

function encodeNumber(value: number): string {
  if (!Number.isFinite(value)) return `"${value}"`;
  if (Object.is(value, -0)) return '-0.0';
  // Above 2^53 a number may not be the one that was meant: with a point no column of integers takes it, and one of floats does.
  return Number.isInteger(value) && !Number.isSafeInteger(value) && Math.abs(value) < 1e21 ? `${value}.0` : String(value);
}
