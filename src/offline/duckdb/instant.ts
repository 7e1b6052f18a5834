/** Timestamp columns as microseconds since the epoch, in SQL. */
import { DuckDBTypeId } from '@duckdb/node-api';
import type { ZoneSteps } from '../zone.ts';

const zoneless: readonly DuckDBTypeId[] = [
  DuckDBTypeId.TIMESTAMP,
  DuckDBTypeId.TIMESTAMP_S,
  DuckDBTypeId.TIMESTAMP_MS,
  DuckDBTypeId.TIMESTAMP_NS,
  DuckDBTypeId.DATE,
];

/** Whether values of a type are local times that need a zone. */
export function isZoneless(type: DuckDBTypeId): boolean {
  return zoneless.includes(type);
}

/** The wall clock's microseconds of a zone-less value, nanoseconds floored (rule 1.1). */
export function compileLocalUs(value: string, type: DuckDBTypeId): string {
  if (type === DuckDBTypeId.TIMESTAMP_NS) return `((epoch_ns(${value}) - ((epoch_ns(${value}) % 1000) + 1000) % 1000) // 1000)`;
  return type === DuckDBTypeId.TIMESTAMP ? `epoch_us(${value})` : `epoch_us(cast(${value} as timestamp))`;
}

/** The instant's microseconds of a value with a zone, or of a zone-less one read by `zone`. */
export function compileInstantUs(value: string, type: DuckDBTypeId, zone: ZoneSteps | undefined): string {
  if (!isZoneless(type)) return `epoch_us(${value})`;
  const local = compileLocalUs(value, type);
  if (zone === undefined || (zone.steps.length === 0 && zone.firstOffsetUs === 0n)) return local;
  return `(${local} - ${compileOffset(local, zone, 0, zone.steps.length)})`;
}

/** The ranges of local times that are missing or come twice, as a condition; undefined when there are none. */
export function compileIsUnclear(local: string, zone: ZoneSteps): string | undefined {
  if (zone.unclear.length === 0) return undefined;
  return zone.unclear.map(({ fromUs, toUs }) => `(${local} >= ${fromUs} and ${local} < ${toUs})`).join(' or ');
}

/** The offset of a local time by halving the steps from `low` to `high`. */
function compileOffset(local: string, zone: ZoneSteps, low: number, high: number): string {
  if (low === high) return String(low === 0 ? zone.firstOffsetUs : zone.steps[low - 1]?.offsetUs);
  const middle = (low + high) >> 1;
  const from = zone.steps[middle]?.fromUs;
  return `case when ${local} < ${from} then ${compileOffset(local, zone, low, middle)} else ${compileOffset(local, zone, middle + 1, high)} end`;
}
