/** Timestamp columns as microseconds since the epoch, in SQL. */
import { DuckDBTypeId } from '@duckdb/node-api';
import { foldCycleUs, foldFromUs, type LocalSegment, type ZoneClock } from '../zone.ts';

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

/** What SQL needs of a zone: the offsets of the local times of some years. */
export interface ZoneSteps {
  /** In order of local time, folded into the years before 2500; never empty. */
  readonly segments: readonly LocalSegment[];
  /** Whether some local times lie beyond the years that the segments are of, and must be folded. */
  readonly folded: boolean;
}

/** The steps of a zone over some years (see `yearUs`) of local times, in any order. */
export function listZoneSteps(clock: ZoneClock, years: Iterable<number>, folded: boolean): ZoneSteps {
  const sorted = [...new Set(years)].sort((a, b) => a - b);
  return { segments: (sorted.length === 0 ? [0] : sorted).flatMap((year) => clock.segmentsOf(year)), folded };
}

/** The instant's microseconds of a value with a zone, or of a zone-less one read by `zone`. */
export function compileInstantUs(value: string, type: DuckDBTypeId, zone: ZoneSteps | undefined): string {
  if (!isZoneless(type)) return `epoch_us(${value})`;
  const local = compileLocalUs(value, type);
  if (zone === undefined) return local;
  const offset = compileBySegment(local, zone, ({ offsetUs }) => String(offsetUs));
  return offset === '0' ? local : `(${local} - ${offset})`;
}

/** Whether a local time is missing or comes twice, as a condition; undefined when none is. */
export function compileIsUnclear(local: string, zone: ZoneSteps): string | undefined {
  const condition = compileBySegment(local, zone, ({ kind }) => String(kind !== undefined));
  return condition === 'false' ? undefined : condition;
}

/** A value of the segment that a local time lies in, found by halving. */
function compileBySegment(local: string, { segments, folded }: ZoneSteps, value: (segment: LocalSegment) => string): string {
  const runs: { readonly fromUs: bigint; readonly value: string }[] = [];
  for (const segment of segments) {
    const next = value(segment);
    if (runs.at(-1)?.value !== next) runs.push({ fromUs: segment.fromUs, value: next });
  }
  const us = folded
    ? `(case when ${local} < ${foldFromUs} then ${local} else ${foldFromUs} + (${local} - ${foldFromUs}) % ${foldCycleUs} end)`
    : local;
  const halve = (low: number, high: number): string => {
    if (low === high) return (runs[low] as { value: string }).value;
    const middle = (low + high + 1) >> 1;
    return `case when ${us} < ${runs[middle]?.fromUs} then ${halve(low, middle - 1)} else ${halve(middle, high)} end`;
  };
  return halve(0, runs.length - 1);
}
